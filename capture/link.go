package capture

// A Link is one process that holds one socket open: /proc/PID/fd/N → "socket:[INODE]".
type Link struct {
	PID   int
	Inode uint64
}
