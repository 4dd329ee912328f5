package templates

import (
	"slices"
	"strings"
)

// reader reads the tokens of one tag and writes them as Liquid.
type reader struct {
	compiler *compiler
	tag      *tag
	tokens   []token
	at       place // of an output tag
	made     kind  // what the chain read last makes
}

// peek is the next token.
func (r *reader) peek() token {
	if len(r.tokens) == 0 {
		return token{kind: endToken, at: r.tag.at}
	}
	return r.tokens[0]
}

func (r *reader) next() token {
	t := r.peek()
	if len(r.tokens) > 0 {
		r.tokens = r.tokens[1:]
	}
	return t
}

// mark takes the next token when it is this mark.
func (r *reader) mark(text string) bool {
	if t := r.peek(); t.kind != markToken || t.text != text {
		return false
	}
	r.next()
	return true
}

// word takes the next token when it is this name.
func (r *reader) word(text string) bool {
	if t := r.peek(); t.kind != nameToken || t.text != text {
		return false
	}
	r.next()
	return true
}

// unexpected says that a token does not belong where it is.
func (r *reader) unexpected(t token, wanted string) error {
	if t.kind == endToken {
		return errorAt(t.at, "%s is not complete: %s is missing", r.tag.source, wanted)
	}
	if t.kind == stringToken {
		t.text = `"` + t.text + `"`
	}
	return errorAt(t.at, "unexpected %s; %s should stand here", t.text, wanted)
}

// end makes sure that nothing is left.
func (r *reader) end() error {
	if t := r.peek(); t.kind == markToken && t.text == "=" {
		return errorAt(t.at, "unexpected =; two of them compare, ==")
	} else if t.kind != endToken {
		return r.unexpected(t, "the tag's end")
	}
	return nil
}

// isConstant says whether a name is one of Liquid's own.
func isConstant(name string) bool {
	switch name {
	case "true", "false", "nil", "null", "blank", "empty":
		return true
	}
	return false
}

// reserved are names that an operator would be taken for.
var reserved = []string{"and", "or", "contains", "in"}

// literal writes a quoted text or a number.
func (r *reader) literal(t token) (string, error) {
	if t.kind == numberToken {
		return t.text, nil
	}
	if strings.Contains(t.text, "}}") || strings.Contains(t.text, "%}") {
		return "", errorAt(t.at, "quoted text in a tag cannot hold }} or %%}")
	}
	text := strings.Join(strings.FieldsFunc(t.text, func(c rune) bool { return c < ' ' }), " ")
	if strings.Contains(text, `"`) {
		return "'" + text + "'", nil
	}
	return `"` + text + `"`, nil
}

// value reads one name, number or quoted text, as Liquid without any demand on
// a field's value. It returns the token, too.
func (r *reader) value(harmless bool) (string, token, error) {
	t := r.next()
	switch t.kind {
	case numberToken, stringToken:
		source, err := r.literal(t)
		return source, t, err
	case nameToken:
		if slices.Contains(reserved, t.text) || isConstant(t.text) {
			return "", t, r.unexpected(t, "a field's name or a quoted text")
		}
		return r.name(t, harmless), t, nil
	}
	return "", t, r.unexpected(t, "a field's name or a quoted text")
}

// name is a local or a field as Liquid.
func (r *reader) name(t token, harmless bool) string {
	c := r.compiler
	if c.isLocal(t.text) {
		if strings.HasPrefix(t.text, "forloop.") {
			return t.text
		}
		return c.locals[t.text]
	}
	c.use(t, harmless)
	slot := c.slot(t.text)
	c.needed[slot] = true
	return slotName(slot)
}

// needed is a value that must be there.
func needed(source string, t token) string {
	if t.kind != nameToken {
		return source
	}
	return source + " | _need: \"" + t.text + "\""
}

// argument reads the i-th argument of a filter.
func (r *reader) argument(rule filterRule, i int) (string, error) {
	source, t, err := r.value(false)
	switch {
	case err != nil:
		return "", err
	case t.kind == nameToken:
		source = needed(source, t)
		if field := r.origin(t); field != "" && i < rule.numbers {
			source += ` | _number: "` + field + `"`
		}
		return "(" + source + ")", nil
	case t.kind == numberToken && rule.sums:
		return `"` + source + `"`, nil // Liquid would make it a fraction of two
	}
	return source, nil
}

// filter is one step of a chain.
type filter struct {
	name token
	rule filterRule
	args []token
}

// chain reads a value with its filters. The value must be there unless a
// default follows.
func (r *reader) chain() (string, error) {
	head := r.next()
	if head.kind == markToken || head.kind == endToken {
		return "", r.unexpected(head, "a field's name or a quoted text")
	}
	filters, err := r.filters()
	if err != nil {
		return "", err
	}
	last := lastDefault(filters)
	rest := r.tokens
	defer func() { r.tokens = rest }()

	source, err := r.head(head, len(filters) > 0 && filters[0].rule.dates, last >= 0)
	if err != nil {
		return "", err
	}
	if last < 0 {
		source = needed(source, head)
	}
	if err := r.check(head, filters); err != nil {
		return "", err
	}
	origin := r.origin(head)
	for i, f := range filters {
		step, err := r.step(f, origin, i == last, i < last)
		if err != nil {
			return "", err
		}
		source += step
		if f.name.text == "default" { // whose words it is now, nobody knows
			origin = ""
		}
	}
	return source, nil
}

// check finds what cannot come to a good end, whatever the fields hold.
func (r *reader) check(head token, filters []filter) error {
	given, k := []token{head}, r.kindOf(head)
	for _, f := range filters {
		for _, t := range given {
			if err := fits(t, f); err != nil {
				return err
			}
		}
		if err := f.literals(); err != nil {
			return err
		}
		var err error
		if k, err = k.after(f, r); err != nil {
			return err
		}
		if f.name.text == "default" {
			given = append(given, f.args[0])
		} else {
			given = nil
		}
	}
	r.made = k
	return nil
}

// lastDefault finds the last default that the head's missing value reaches; -1
// when there is none.
func lastDefault(filters []filter) int {
	last := -1
	for i, f := range filters {
		if f.name.text == "default" {
			last = i
		}
		if !f.rule.keepsBlank {
			break
		}
	}
	return last
}

// filters reads the filters of a chain.
func (r *reader) filters() ([]filter, error) {
	var all []filter
	for r.mark("|") {
		f := filter{name: r.next()}
		if f.name.kind != nameToken {
			return nil, r.unexpected(f.name, "a filter's name")
		}
		rule, known := filterRules[f.name.text]
		if !known {
			return nil, unknownAt(f.name.at, "filter", f.name.text, filterNames())
		}
		f.rule = rule
		if r.mark(":") {
			f.args = append(f.args, r.next())
			for r.mark(",") {
				f.args = append(f.args, r.next())
			}
		}
		if n := len(f.args); n < rule.least || n > rule.most {
			return nil, errorAt(f.name.at, "filter %q takes %s, not %d", f.name.text, rule, n)
		}
		all = append(all, f)
	}
	return all, nil
}

// String says how many arguments a filter takes.
func (f filterRule) String() string {
	words := []string{"no argument", "one argument", "two arguments"}
	if f.least < f.most {
		return words[f.least] + " to " + words[f.most]
	}
	return words[f.most]
}

// step writes one filter. The words of a default are asked for only when the
// value is missing, those of the last one must then be there. origin is the
// field that the value comes from; "" is none.
func (r *reader) step(f filter, origin string, last, before bool) (string, error) {
	name := f.name.text
	if name == "url_encode" && r.at.inTarget() {
		return "", nil // done anyway
	}
	source := " | " + name
	switch {
	case f.rule.dates:
		source = " | _time: " + zoneName + `, "` + name + `", "` + origin + `"` + source
	case f.rule.sums && origin != "":
		source = ` | _number: "` + origin + `"` + source
	}
	for i, arg := range f.args {
		r.tokens = []token{arg}
		var text string
		var err error
		if name == "default" {
			text, _, err = r.value(before)
		} else {
			text, err = r.argument(f.rule, i)
		}
		if err != nil {
			return "", err
		}
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		source += separator + text
	}
	if name == "default" && last {
		source += needed("", f.args[0])
	}
	switch name {
	case "plus_business_days":
		source += ", " + offDayName
	case "date":
		source += ", " + languageName
	}
	return source, nil
}

// origin is the field that a value comes from; "" is none.
func (r *reader) origin(t token) string {
	if t.kind != nameToken || r.compiler.isLocal(t.text) {
		return ""
	}
	return t.text
}

// assign reads name = chain.
func (r *reader) assign() (string, error) {
	name := r.next()
	if name.kind != nameToken || strings.Contains(name.text, ".") || isConstant(name.text) || name.text == "forloop" {
		return "", r.unexpected(name, "a name without dots")
	}
	if t := r.peek(); !r.mark("=") {
		return "", r.unexpected(t, "=")
	}
	source, err := r.chain()
	return "assign " + r.compiler.give(name.text) + " = " + source, err
}

// loop reads name in chain, or name in (1..5), with reversed, limit and offset.
func (r *reader) loop(b *block) (string, error) {
	name := r.next()
	if name.kind != nameToken || strings.Contains(name.text, ".") || isConstant(name.text) || name.text == "forloop" {
		return "", r.unexpected(name, "a name without dots")
	}
	if t := r.peek(); !r.word("in") {
		return "", r.unexpected(t, "in")
	}
	var source string
	var err error
	if r.mark("(") {
		source, err = r.span()
	} else {
		at := r.peek().at
		if source, err = r.listChain(); err == nil && r.made == oneValue {
			err = errorAt(at, "for goes through a list; split makes one, as in {%% for %s in items | split: \";\" %%}", name.text)
		}
	}
	if err != nil {
		return "", err
	}
	for {
		switch {
		case r.word("reversed"):
			source += " reversed"
			continue
		case r.word("limit"):
			source += " limit"
		case r.word("offset"):
			source += " offset"
		default:
			b.local, b.shadowed = name.text, r.compiler.locals[name.text]
			delete(r.compiler.locals, name.text)
			return r.compiler.give(name.text) + " in " + source, nil
		}
		if t := r.peek(); !r.mark(":") {
			return "", r.unexpected(t, ":")
		}
		n, err := r.count()
		if err != nil {
			return "", err
		}
		source += ": " + n
	}
}

// listChain reads the chain of a loop, up to its modifiers.
func (r *reader) listChain() (string, error) {
	end := slices.IndexFunc(r.tokens, func(t token) bool {
		return t.kind == nameToken && slices.Contains([]string{"reversed", "limit", "offset"}, t.text)
	})
	if end <= 0 {
		return r.chain()
	}
	rest := r.tokens[end:]
	r.tokens = r.tokens[:end]
	source, err := r.chain()
	if err == nil {
		err = r.end()
	}
	r.tokens = rest
	return source, err
}

// span reads 1..5), the inside of a range.
func (r *reader) span() (string, error) {
	from, err := r.count()
	if err != nil {
		return "", err
	}
	if t := r.peek(); !r.mark("..") {
		return "", r.unexpected(t, "..")
	}
	to, err := r.count()
	if err != nil {
		return "", err
	}
	if t := r.peek(); !r.mark(")") {
		return "", r.unexpected(t, ")")
	}
	return "(" + from + ".." + to + ")", nil
}

// count reads a whole number.
func (r *reader) count() (string, error) {
	source, t, err := r.value(false)
	if err != nil {
		return "", err
	}
	if t.kind == stringToken || t.kind == numberToken && strings.Contains(t.text, ".") {
		return "", r.unexpected(t, "a whole number")
	}
	if t.kind == nameToken {
		return "(" + needed(source, t) + " | _int)", nil
	}
	return source, nil
}
