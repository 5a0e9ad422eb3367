package trace

import (
	"runtime"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/cmd/internal/wire"
)

// sharedWindow is the largest window of a run that one processor is enough for.
const sharedWindow = 256

// shareProcessor lets everything in the process take turns on one processor,
// where there is little of it: the run and what prints it. To wake another
// thread for every line takes longer than to write it.
func shareProcessor(o *option.Options) {
	if o.Numeric && o.ASSource == "" && o.Sim <= sharedWindow {
		runtime.GOMAXPROCS(1)
	}
}

// yielding lets others have their turn before it waits: the thread that waits
// in the kernel keeps its processor for a while.
type yielding struct{ wire.Receiver }

func (y yielding) Wait(until time.Duration) error {
	runtime.Gosched()
	return y.Receiver.Wait(until)
}
