package survey

// fifo is a queue that reuses its memory.
type fifo[T any] struct {
	list []T
	head int
	n    int
}

func (f *fifo[T]) put(v T) {
	if f.n == len(f.list) {
		grown := make([]T, max(64, 2*f.n))
		for i := range f.n {
			grown[i] = f.at(i)
		}
		f.list, f.head = grown, 0
	}
	f.list[(f.head+f.n)&(len(f.list)-1)] = v
	f.n++
}

// at gives the i-th one from the head.
func (f *fifo[T]) at(i int) T { return f.list[(f.head+i)&(len(f.list)-1)] }

// pop drops the head.
func (f *fifo[T]) pop() {
	f.head = (f.head + 1) & (len(f.list) - 1)
	f.n--
}
