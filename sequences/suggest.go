package sequences

import "strings"

// Nearest is the known word that was probably meant by word, or "". A word is
// near when one letter is wrong, two in words of six letters and more; letter
// case does not count.
func Nearest(word string, known []string) string {
	allowed := 1
	switch n := len([]rune(word)); {
	case n < 3:
		allowed = 0
	case n >= 6:
		allowed = 2
	}
	best, least := "", allowed+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k), allowed); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b. It stops counting above most.
func distance(a, b string, most int) int {
	ra, rb := []rune(a), []rune(b)
	if len(ra)-len(rb) > most || len(rb)-len(ra) > most {
		return most + 1
	}
	// Three rows of the usual table: two back for swapped neighbours.
	before, row, next := make([]int, len(rb)+1), make([]int, len(rb)+1), make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		next[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(rb)]
}
