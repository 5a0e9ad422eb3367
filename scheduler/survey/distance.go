package survey

// distances predicts how many hops away a target is: as far as the targets
// nearest to it by index, which for sorted targets is by address, and else as
// far as targets are on average. It keeps one byte for each target, or for each
// few where there are many.
type distances struct {
	known   []uint8 // 0: not known
	targets uint64
	average float64
	read    uint8 // has the reads of fetch done
}

const (
	maxDistances = 1 << 24
	// nearby is how many places aside count as near.
	nearby = 2
)

func newDistances(targets uint64, start uint8) *distances {
	return &distances{known: make([]uint8, min(targets, maxDistances)), targets: targets, average: float64(start)}
}

func (d *distances) place(target uint64) int {
	if d.targets <= maxDistances {
		return int(target)
	}
	return int(target / ((d.targets + maxDistances - 1) / maxDistances))
}

// learn notes the distance of a target.
func (d *distances) learn(target uint64, distance uint8) {
	d.known[d.place(target)] = distance
	d.average += (float64(distance) - d.average) / 64
}

// fetch begins to read what predict goes by for the targets.
func (d *distances) fetch(targets []uint64) {
	var sum uint8
	for _, t := range targets {
		sum |= d.known[d.place(t)]
	}
	d.read = sum
}

// predict gives the distance that a target is likely to have.
func (d *distances) predict(target uint64) uint8 {
	at := d.place(target)
	for off := range nearby + 1 {
		if i := at - off; i >= 0 && d.known[i] != 0 {
			return d.known[i]
		}
		if i := at + off; i < len(d.known) && d.known[i] != 0 {
			return d.known[i]
		}
	}
	return uint8(d.average + 0.5)
}
