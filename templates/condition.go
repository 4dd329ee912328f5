package templates

import (
	"slices"
	"strings"
)

// condition reads what stands in if, unless and elsif. It also returns the
// fields that have a value when the condition is true, and when it is false.
func (r *reader) condition() (source string, ifTrue, ifFalse []string, err error) {
	var terms, joints []string
	for {
		term, filled, blank, err := r.term()
		if err != nil {
			return "", nil, nil, err
		}
		terms = append(terms, term)
		ifTrue, ifFalse = append(ifTrue, filled...), append(ifFalse, blank...)
		switch {
		case r.word("and"):
			joints = append(joints, " and ")
		case r.word("or"):
			joints = append(joints, " or ")
		default:
			if slices.Contains(joints, " or ") {
				ifTrue = nil
			}
			if slices.Contains(joints, " and ") {
				ifFalse = nil
			}
			return joined(terms, joints), ifTrue, ifFalse, nil
		}
	}
}

// joined reads and/or from the right, as Liquid does elsewhere.
func joined(terms, joints []string) string {
	var b strings.Builder
	for i, term := range terms {
		b.WriteString(term)
		if i < len(joints) {
			b.WriteString(joints[i])
			if i+1 < len(joints) {
				b.WriteByte('(')
			}
		}
	}
	return b.String() + strings.Repeat(")", max(0, len(joints)-1))
}

// operand is one side of a comparison.
type operand struct {
	token
	source string // Liquid; empty for true, nil, blank …
}

func (r *reader) operand() (operand, error) {
	if t := r.peek(); t.kind == nameToken && isConstant(t.text) {
		return operand{token: r.next()}, nil
	}
	source, t, err := r.value(true)
	return operand{t, source}, err
}

// isField says whether an operand is a field, not a local.
func (r *reader) isField(o operand) bool {
	return o.kind == nameToken && o.source != "" && !r.compiler.isLocal(o.text)
}

// isBlank says whether an operand stands for nothing: blank, empty, nil, "".
func (o operand) isBlank() bool {
	if o.kind == stringToken {
		return strings.TrimSpace(o.text) == ""
	}
	return o.isConstant() && o.text != "true" && o.text != "false"
}

func (o operand) isConstant() bool { return o.kind == nameToken && o.source == "" }

// term reads a value, or a comparison of two.
func (r *reader) term() (source string, ifTrue, ifFalse []string, err error) {
	left, err := r.operand()
	if err != nil {
		return "", nil, nil, err
	}
	op := r.peek()
	switch {
	case op.kind == nameToken && op.text == "contains":
	case op.kind == markToken && slices.Contains([]string{"==", "!=", "<>", "<", ">", "<=", ">="}, op.text):
	default:
		if r.isField(left) {
			ifTrue = []string{left.text}
		}
		return truth(left), ifTrue, nil, nil
	}
	r.next()
	right, err := r.operand()
	if err != nil {
		return "", nil, nil, err
	}
	if op.text == "<>" {
		op.text = "!="
	}
	ifTrue, ifFalse = r.implied(left, right, op.text)
	return compared(left, right, op.text), ifTrue, ifFalse, nil
}

// truth is a value alone.
func truth(o operand) string {
	if !o.isConstant() {
		return o.source
	}
	if o.text == "true" {
		return "true"
	}
	return "false"
}

// implied says which fields have a value when a comparison is true, and when it
// is false.
func (r *reader) implied(left, right operand, op string) (ifTrue, ifFalse []string) {
	for _, pair := range [][2]operand{{left, right}, {right, left}} {
		field, other := pair[0], pair[1]
		if !r.isField(field) {
			continue
		}
		switch {
		case other.isBlank() && op == "==":
			ifFalse = append(ifFalse, field.text)
		case other.isBlank() && op == "!=":
			ifTrue = append(ifTrue, field.text)
		case other.isBlank(), other.kind == nameToken && !other.isConstant():
		case op == "!=":
			ifFalse = append(ifFalse, field.text)
		case op != "contains" || field.token == left.token:
			ifTrue = append(ifTrue, field.text)
		}
	}
	return ifTrue, ifFalse
}

// compared writes a comparison. What both sides are decides how they are seen:
// beside a number as numbers, beside words as words, beside blank as filled or
// not.
func compared(left, right operand, op string) string {
	if op == "contains" {
		return "(" + words(left, true) + ") contains (" + words(right, false) + ")"
	}
	form := " | _compare"
	switch {
	case left.isBlank() || right.isBlank():
		form = " | _filled"
	case left.kind == stringToken || right.kind == stringToken || left.isConstant() || right.isConstant():
		form = " | _string"
	}
	side := func(o operand) string {
		switch {
		case o.isBlank():
			return "nil"
		case o.isConstant():
			return `"` + o.text + `"`
		case o.kind == numberToken && form == " | _string":
			return `"` + o.text + `"`
		case o.kind != nameToken:
			return o.source
		}
		return "(" + o.source + form + ")"
	}
	return side(left) + " " + op + " " + side(right)
}

// words is one side of contains. A list on the left stays one.
func words(o operand, list bool) string {
	switch {
	case o.isConstant():
		return `"` + o.text + `"`
	case list:
		return o.source + " | _list"
	}
	return o.source + " | _string"
}

// caseOperand reads what case compares with.
func (r *reader) caseOperand() (string, error) {
	source, t, err := r.value(true)
	if err != nil || t.kind != nameToken {
		return `"` + t.text + `"`, err
	}
	return source + " | _string", nil
}

// whens reads the words of a when: "a", "b" or 3.
func (r *reader) whens() (string, error) {
	var all []string
	for {
		source, t, err := r.value(true)
		if err != nil {
			return "", err
		}
		switch t.kind {
		case nameToken:
			source = "(" + source + " | _string)"
		case numberToken:
			source = `"` + source + `"`
		}
		all = append(all, source)
		if !r.mark(",") && !r.word("or") {
			return strings.Join(all, ", "), nil
		}
	}
}
