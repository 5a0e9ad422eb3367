package survey

// fifo is a queue of tags that reuses its memory.
type fifo struct {
	tags []int
	head int
	n    int
}

func (f *fifo) put(tag int) {
	if f.n == len(f.tags) {
		grown := make([]int, max(64, 2*f.n))
		for i := range f.n {
			grown[i] = f.at(i)
		}
		f.tags, f.head = grown, 0
	}
	f.tags[(f.head+f.n)&(len(f.tags)-1)] = tag
	f.n++
}

// at gives the i-th tag from the head.
func (f *fifo) at(i int) int { return f.tags[(f.head+i)&(len(f.tags)-1)] }

// pop drops the head.
func (f *fifo) pop() {
	f.head = (f.head + 1) & (len(f.tags) - 1)
	f.n--
}
