package templates

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// compiler turns pieces into a program. It writes Liquid in which each field is
// a numbered slot, so that a field's name may hold anything, and in which our
// own filters say what a value must be.
type compiler struct {
	program  program
	source   strings.Builder // of the liquid segment being written
	from     Position        // of its first tag
	needed   map[int]bool    // slots it reads
	slots    map[string]int
	locals   map[string]string // names given by assign and for → their names in Liquid
	known    int               // locals so far
	assigned bool              // from here on everything depends on an assign
	blocks   []block           // open, outermost first
	elements []string          // open HTML elements
	markup   bool              // the pieces are HTML: follow its elements
	uses     []Use
}

// block is an open {% if %}, {% unless %}, {% case %} or {% for %}.
type block struct {
	tag       *tag
	last      bool     // its else has been seen
	elements  []string // open HTML elements where it began
	filled    []string // fields that have a value in this branch
	otherwise []string // fields that have a value in its else
	local     string   // of a for, with what the name meant before
	shadowed  string
}

// What a program gives to Liquid besides fields and constants.
const (
	roundsName   = "_rounds"
	offDayName   = "_off"
	zoneName     = "_zone"
	languageName = "_language"
)

func slotName(slot int) string { return "f" + strconv.Itoa(slot) }

// compile makes a program of pieces and lists the fields they use. With markup,
// branches must leave the HTML well-formed, whichever is taken.
func compile(pieces []piece, o Options, markup bool) (*program, []Use, error) {
	c := &compiler{
		needed: map[int]bool{}, slots: map[string]int{}, locals: map[string]string{}, markup: markup,
		program: program{constant: map[string]any{offDayName: offDays{o.OffDay}, languageName: o.Language}},
	}
	c.program.size = 256
	for _, p := range pieces {
		c.program.size += len(p.literal) + 16
		if err := c.piece(p); err != nil {
			return nil, nil, err
		}
	}
	if len(c.blocks) > 0 {
		t := c.blocks[len(c.blocks)-1].tag
		return nil, nil, errorAt(t.at, "{%% %s %%} without {%% end%s %%}", t.name, t.name)
	}
	if err := c.flush(); err != nil {
		return nil, nil, err
	}
	for slot := range c.needed {
		c.program.needed = append(c.program.needed, slot)
	}
	slices.Sort(c.program.needed)
	slices.SortStableFunc(c.uses, func(a, b Use) int {
		return cmp.Or(a.Position.Line-b.Position.Line, a.Position.Column-b.Position.Column)
	})
	return &c.program, slices.Compact(c.uses), nil
}

// direct says whether what comes next needs no Liquid.
func (c *compiler) direct() bool { return len(c.blocks) == 0 && !c.assigned }

func (c *compiler) piece(p piece) error {
	switch {
	case p.tag == nil:
		c.follow(p.literal)
		c.literal(p.literal)
		return nil
	case p.tag.kind == verbatimTag:
		c.literal(string(places[p.place].write(nil, clean(p.tag.words))))
		return nil
	case p.tag.kind == controlTag:
		return c.control(p.tag)
	}
	return c.output(p.tag, p.place)
}

// literal writes words as they are.
func (c *compiler) literal(s string) {
	switch {
	case s == "":
	case c.direct():
		if n := len(c.program.segments) - 1; n >= 0 && c.program.segments[n].isLiteral() {
			c.program.segments[n].literal += s
		} else {
			c.program.segments = append(c.program.segments, segment{literal: s})
		}
	case strings.Contains(s, "{"): // Liquid would look for a tag there
		name := "l" + strconv.Itoa(len(c.program.constant))
		c.program.constant[name] = s
		c.source.WriteString("{{ " + name + " }}")
	default:
		c.source.WriteString(s)
	}
}

func (s *segment) isLiteral() bool { return s.field == "" && s.liquid == nil }

// output compiles {{ … }}.
func (c *compiler) output(t *tag, at place) error {
	r := reader{compiler: c, tokens: t.tokens, tag: t, at: at}
	source, err := r.chain()
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return err
	}
	if field, fallback, ok := c.simple(t.tokens); ok && c.direct() {
		c.program.segments = append(c.program.segments, segment{field: field, fallback: fallback, place: at})
		return nil
	}
	c.write(t, "{{ "+source+" | "+places[at].filter+" }}")
	if c.direct() {
		return c.flush()
	}
	return nil
}

// simple recognises {{ field }} and {{ field | default: "words" }}.
func (c *compiler) simple(tokens []token) (field string, fallback *string, ok bool) {
	if tokens[0].kind != nameToken || c.isLocal(tokens[0].text) || isConstant(tokens[0].text) {
		return "", nil, false
	}
	field = tokens[0].text
	switch {
	case len(tokens) == 1:
		return field, nil, true
	case len(tokens) == 5 && tokens[2].text == "default" && tokens[4].kind == stringToken:
		words := clean(tokens[4].text)
		return field, &words, true
	}
	return "", nil, false
}

// write adds what a tag became to the liquid segment.
func (c *compiler) write(t *tag, source string) {
	if c.source.Len() == 0 {
		c.from = t.at
	}
	c.source.WriteString(source)
}

// flush ends the liquid segment being written.
func (c *compiler) flush() error {
	if c.source.Len() == 0 {
		return nil
	}
	template, err := engine.ParseString(c.source.String())
	if err != nil {
		return errorAt(c.from, "%v", err)
	}
	c.source.Reset()
	c.program.segments = append(c.program.segments, segment{liquid: template})
	return nil
}

// slot is the number of a field.
func (c *compiler) slot(field string) int {
	slot, ok := c.slots[field]
	if !ok {
		slot = len(c.program.slots)
		c.slots[field] = slot
		c.program.slots = append(c.program.slots, field)
	}
	return slot
}

// isLocal says whether a name was given by the template itself. The parts of a
// loop, such as forloop.last, are local within it.
func (c *compiler) isLocal(name string) bool {
	if strings.HasPrefix(name, "forloop.") {
		return c.inLoop()
	}
	_, ok := c.locals[name]
	return ok
}

func (c *compiler) inLoop() bool {
	return slices.ContainsFunc(c.blocks, func(b block) bool { return b.tag.name == "for" })
}

// give makes a name local and returns its name in Liquid.
func (c *compiler) give(name string) string {
	if c.locals[name] == "" {
		c.locals[name] = "v" + strconv.Itoa(c.known)
		c.known++
	}
	return c.locals[name]
}

// hasValue says whether a field is known to have a value here.
func (c *compiler) hasValue(field string) bool {
	return slices.ContainsFunc(c.blocks, func(b block) bool { return slices.Contains(b.filled, field) })
}

// use notes that a field is named.
func (c *compiler) use(t token, harmless bool) {
	c.uses = append(c.uses, Use{Field: t.text, Position: t.at, HasDefault: harmless || c.hasValue(t.text), Partial: t.partial})
}

// follow keeps track of the HTML elements that are open.
func (c *compiler) follow(literal string) {
	for c.markup {
		_, rest, found := strings.Cut(literal, "<")
		if !found {
			return
		}
		closes := strings.HasPrefix(rest, "/")
		rest = strings.TrimPrefix(rest, "/")
		n := 0
		for n < len(rest) && (rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= '0' && rest[n] <= '9') {
			n++
		}
		switch name := rest[:n]; {
		case name == "" || name == "br" || name == "hr" || name == "meta":
		case !closes:
			c.elements = append(c.elements, name)
		case len(c.elements) > 0:
			c.elements = c.elements[:len(c.elements)-1]
		}
		literal = rest[n:]
	}
}
