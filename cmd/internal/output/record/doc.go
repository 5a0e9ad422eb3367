// Package record is what a survey has to write, and the interface that every
// output format fills.
//
// A format is a Kind: a name, and a function that begins a file. What it gets
// depends on which of ReplyWriter, TraceWriter and FrameWriter its Writer
// implements; one that takes no traces costs none to be put together.
//
//	var CSV = record.Kind{Name: "csv", Help: "one line per reply", New: newCSV}
//
//	type csv struct{ w io.Writer; line []byte }
//
//	func newCSV(w io.Writer, run *record.Run) (record.Writer, error)
//	func (c *csv) Reply(r *record.Reply) error { … _, err := c.w.Write(c.line); return err }
//	func (c *csv) Close(end *record.End) error { return nil }
//
// All methods are called from one goroutine, which is not the engine's. Records
// are lent for the call: what a writer keeps it must copy. The io.Writer is
// buffered, compresses where the file's name asks for it, and goes to the file
// between two calls only: what one call writes stays whole, also when the
// program is killed. Writers neither close nor flush it.
//
// Times are since Run.Start, the run's epoch, in the clock of the receive ring.
package record
