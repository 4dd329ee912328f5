package sequences

import "strings"

// mostChained is how many sequences lint follows a chain through.
const mostChained = 50

// checkRound refuses an on-finish chain that leads back to this sequence by
// itself: whoever never answers would go round for ever. It follows the files
// beside this one; what cannot be read there is their own mistake.
func (r *reader) checkRound(s setting, first *Chain) {
	if first == nil {
		return
	}
	way := []string{first.Sequence}
	for range mostChained {
		next := r.finishOf(way[len(way)-1])
		switch {
		case next == "":
			return
		case next == r.seq.Name:
			r.wrongValue(s, wrong("%s leads back to %s, and whoever never answers would go round for ever", strings.Join(way, ", then "), r.seq.Name))
			return
		}
		way = append(way, next)
	}
}

// finishOf is the sequence that a file beside this one enrolls in at its end
// without an answer, or "".
func (r *reader) finishOf(name string) string {
	if r.beside.folder() == nil {
		return ""
	}
	source, err := readRegular(r.beside.fsys, name+".md", maxSize)
	if err != nil {
		return ""
	}
	p, perr := newPage(name+".md", source)
	if perr != nil {
		return ""
	}
	other := &reader{page: *p, seq: &Sequence{Name: name}}
	if other.findFront() < 0 {
		return ""
	}
	words := strings.Fields(other.readSettings(other.front, frontKeys, true)["on-finish"].value)
	if len(words) < 2 || words[0] != "enroll" {
		return ""
	}
	return strings.TrimSuffix(words[1], ".md")
}
