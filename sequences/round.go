package sequences

import (
	"fmt"
	"slices"
	"strings"
)

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
	_, set := r.frontOf(name)
	words := strings.Fields(set["on-finish"].value)
	if len(words) < 2 || words[0] != "enroll" {
		return ""
	}
	return strings.TrimSuffix(words[1], ".md")
}

// frontOf reads the front matter of a sequence beside this one; it is empty for
// what cannot be read.
func (r *reader) frontOf(name string) (*reader, settings) {
	other := &reader{seq: &Sequence{Name: name}}
	if r.beside.folder() == nil {
		return other, nil
	}
	source, err := readRegular(r.beside.fsys, name+".md", maxSize)
	if err != nil {
		return other, nil
	}
	p, perr := newPage(name+".md", source)
	if perr != nil {
		return other, nil
	}
	other.page = *p
	if other.findFront() < 0 {
		return other, nil
	}
	return other, other.readSettings(other.front, frontKeys, true)
}

// adviseChain compares what the next sequence needs with what this one does:
// for a prospect who lacks a field, a chain does not begin.
func (r *reader) adviseChain(s setting, c *Chain) {
	other, set := r.frontOf(c.Sequence)
	needs, given := set["needs"]
	if !given {
		return
	}
	named := func(field string) bool { return field == "name" || field == "first_name" || field == "last_name" }
	var lacks []string
	for _, field := range other.readNeeds(needs) {
		r.used[field] = true // needed here for its sake
		switch {
		case slices.Contains(r.seq.Needs, field), field == "email", field == "original_subject":
		case named(field) && slices.ContainsFunc(r.seq.Needs, named):
			r.used["name"], r.used["first_name"], r.used["last_name"] = true, true, true // each is made of another
		default:
			lacks = append(lacks, field)
		}
	}
	it := "it"
	if len(lacks) > 1 {
		it = "them"
	}
	if len(lacks) > 0 {
		r.advise(s.at(strings.Index(s.value, c.Sequence)), fmt.Sprintf("%s needs %s, which this sequence does not: it does not begin for whoever lacks %s",
			c.Sequence, strings.Join(lacks, ", "), it), "add "+it+" to needs: here, too")
	}
}
