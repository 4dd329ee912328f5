package main

import (
	"fmt"
	"strings"

	"nudge/sequences"
)

// didYouMean is "; did you mean …?" for the known word nearest to one that was
// typed, or "".
func didYouMean(typed string, known []string) string {
	if word := nearest(typed, known); word != "" {
		return fmt.Sprintf("; did you mean %q?", word)
	}
	return ""
}

// nearest is the known word that was probably meant, or "": one that is nearly
// spelled so, or the only one that begins so.
func nearest(typed string, known []string) string {
	typed = strings.ToLower(strings.ReplaceAll(typed, "_", "-"))
	best := sequences.Nearest(typed, known)
	if best != "" || len(typed) < 3 {
		return best
	}
	for _, word := range known {
		if strings.HasPrefix(strings.ToLower(word), typed) {
			if best != "" {
				return ""
			}
			best = word
		}
	}
	return best
}
