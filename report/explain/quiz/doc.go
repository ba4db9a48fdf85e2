// Package quiz asks questions whose answers are in the learner's own capture: what the next
// acknowledgment is, why an attempt was refused, which socket gets the data.
//
// A Pool is given all connections of a capture and keeps some of each sort, so that they can
// be followed (explain.Tracer). New makes a Quiz of the conversations. A question is asked
// only where the capture makes its answer certain: never of a client that is guessed, a
// handshake that can be read in two ways, a number that nothing confirms. A seed chooses
// among the questions that there are, and always the same ones.
package quiz
