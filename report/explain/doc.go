// Package explain shows what happened on a connection, segment by segment, to those who
// want to see it for once: which state both ends were in, what each number means, which
// system call is behind it, and why it came out as it did.
//
// A Tracer is given a capture's frames in their order and follows the connections that were
// chosen, through the decoder and the connection table of all reports: a Conversation says
// nothing that these would not say. It is data and has no layout. WriteText and
// WriteMarkdown draw it as a ladder, the client at the left.
//
// What the reader gets to see in words is a Note: a key of the catalogue in report/words,
// with arguments.
package explain
