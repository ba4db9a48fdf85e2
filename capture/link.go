package capture

// A Link is one process that holds one socket open: /proc/PID/fd/N → "socket:[INODE]".
type Link struct {
	PID   int
	Netns uint32 // inode of the process's network namespace; 0: not known
	Inode uint64 // of the socket
}
