package record

import "sync"

// Numbers hands out ids of dimensions where one process writes a ledger at a time: to
// a tuple that the ledger has the id that it has there, to a new one the next number.
// Numbers that are small and dense take a byte or two in each row that points there,
// hashes eight. It serves many workers.
type Numbers struct {
	mu     sync.Mutex
	seeds  seeds
	tables map[*Schema]*numbered
}

// numbered is what is handed out of one dimension.
type numbered struct {
	known map[[2]uint64]int64
	last  int64
}

// numbersEnd is above all numbers; a larger id is a hash, of before there were any or
// of what several platforms know together.
const numbersEnd = 1 << 40

// NewNumbers returns numbers of a ledger whose dimensions are empty.
func NewNumbers() *Numbers {
	n := &Numbers{seeds: newSeeds(), tables: map[*Schema]*numbered{}}
	for _, s := range DimensionSchemas {
		n.tables[s] = &numbered{known: map[[2]uint64]int64{}}
	}
	return n
}

// Know takes over a tuple that the ledger has: the texts of its columns, "" for null.
func (n *Numbers) Know(s *Schema, id int64, texts ...string) {
	if s == MeterSchema && texts[len(texts)-1] == "" {
		texts = texts[:len(texts)-1] // as meter has it
	}
	tuple := make([][]byte, len(texts))
	for i, t := range texts {
		tuple[i] = []byte(t)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tables[s]
	t.known[n.seeds.key(appendTuple(nil, tuple...))] = id
	if id < numbersEnd {
		t.last = max(t.last, id)
	}
}

// of is the id of a tuple, which is a new number where nobody knows it.
func (n *Numbers) of(s *Schema, tuple []byte) int64 {
	key := n.seeds.key(tuple)
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tables[s]
	id, known := t.known[key]
	if !known {
		t.last++
		id = t.last
		t.known[key] = id
	}
	return id
}
