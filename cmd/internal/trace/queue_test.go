package trace

import (
	"slices"
	"testing"
)

func TestQueue(t *testing.T) {
	q := newQueue[int](3)
	for i := range 5 { // never waits, also beyond the limit
		if want := i >= 3; q.Full() != want {
			t.Errorf("full with %d items: %v", i, q.Full())
		}
		q.Push(i)
	}
	q.Close()
	var got []int
	for v, ok := q.Pop(); ok; v, ok = q.Pop() {
		got = append(got, v)
	}
	if want := []int{0, 1, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if q.Full() {
		t.Error("full when empty")
	}
}

func TestQueueWakesReader(t *testing.T) {
	q := newQueue[int](1)
	got := make(chan int)
	go func() {
		defer close(got)
		for v, ok := q.Pop(); ok; v, ok = q.Pop() {
			got <- v
		}
	}()
	for i := range 100 {
		q.Push(i)
		if v := <-got; v != i {
			t.Fatalf("got %d, want %d", v, i)
		}
	}
	q.Close()
	if v, ok := <-got; ok {
		t.Errorf("got %d after the close", v)
	}
}
