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
