package main

import (
	"fmt"
	"strings"
)

// didYouMean is "; did you mean …?" for the known word nearest to one that was
// typed, or "".
func didYouMean(typed string, known []string) string {
	if word := nearest(typed, known); word != "" {
		return fmt.Sprintf("; did you mean %q?", word)
	}
	return ""
}

// nearest is the known word that was probably meant, or "": one letter wrong,
// two in longer words, or the beginning of just one.
func nearest(typed string, known []string) string {
	typed = strings.ToLower(strings.ReplaceAll(typed, "_", "-"))
	allowed := 1
	if len(typed) >= 6 {
		allowed = 2
	}
	best, least := "", allowed+1
	for _, word := range known {
		if d := distance(typed, word); d < least {
			best, least = word, d
		}
	}
	if best != "" || len(typed) < 3 {
		return best
	}
	for _, word := range known {
		if strings.HasPrefix(word, typed) {
			if best != "" {
				return ""
			}
			best = word
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		for j := range rows[i] {
			switch {
			case i == 0:
				rows[i][j] = j
			case j == 0:
				rows[i][j] = i
			default:
				differ := 1
				if x[i-1] == y[j-1] {
					differ = 0
				}
				rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differ)
				if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
					rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
				}
			}
		}
	}
	return rows[len(x)][len(y)]
}
