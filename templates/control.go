package templates

import (
	"slices"
	"strings"
)

// closings are the tags that end a block.
var closings = map[string]string{"endif": "if", "endunless": "unless", "endcase": "case", "endfor": "for"}

// control compiles {% … %}.
func (c *compiler) control(t *tag) error {
	c.program.branches = true
	r := reader{compiler: c, tokens: t.tokens, tag: t}
	var source string
	var err error
	switch t.name {
	case "if", "unless", "case", "for":
		source, err = c.begin(t, &r)
	case "elsif", "else", "when":
		source, err = c.branch(t, &r)
	case "break", "continue":
		source = t.name
		if !c.inLoop() {
			err = errorAt(t.at, "{%% %s %%} outside of a {%% for %%}", t.name)
		}
	case "assign":
		source, err = r.assign()
		c.assigned = true
	default:
		opens := closings[t.name]
		if opens == "" {
			return unknownAt(t.at, "tag", t.name, tagNames())
		}
		return c.finish(t, opens, &r)
	}
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return err
	}
	c.write(t, "{% "+source+" %}")
	if t.name == "for" {
		c.write(t, "{% _round %}")
	}
	return nil
}

// begin opens a block.
func (c *compiler) begin(t *tag, r *reader) (string, error) {
	b := block{tag: t, elements: slices.Clone(c.elements)}
	var source string
	var err error
	switch t.name {
	case "case":
		source, err = r.caseOperand()
	case "for":
		source, err = r.loop(&b)
	default:
		source, b.filled, b.otherwise, err = r.condition()
		if t.name == "unless" {
			b.filled, b.otherwise = b.otherwise, b.filled
		}
	}
	c.blocks = append(c.blocks, b)
	return strings.TrimSpace(t.name + " " + source), err
}

// branch goes on with another part of the innermost block.
func (c *compiler) branch(t *tag, r *reader) (string, error) {
	owners := map[string]string{"elsif": "if", "when": "case", "else": "if unless case for"}[t.name]
	if len(c.blocks) == 0 || !slices.Contains(strings.Fields(owners), c.blocks[len(c.blocks)-1].tag.name) {
		return "", errorAt(t.at, "{%% %s %%} must stand directly in {%% %s %%}", t.name, strings.Fields(owners)[0])
	}
	b := &c.blocks[len(c.blocks)-1]
	if b.last {
		return "", errorAt(t.at, "{%% %s %%} after the {%% else %%} of line %d's {%% %s %%}", t.name, b.tag.at.Line, b.tag.name)
	}
	if err := c.sameDepth(t, b); err != nil {
		return "", err
	}
	switch t.name {
	case "else":
		b.last = true
		b.filled = b.otherwise
		return "else", nil
	case "when":
		source, err := r.whens()
		return "when " + source, err
	}
	b.filled = nil
	source, filled, otherwise, err := r.condition()
	b.filled = append(filled, b.otherwise...)
	b.otherwise = append(b.otherwise, otherwise...)
	return "elsif " + source, err
}

// finish closes the innermost block.
func (c *compiler) finish(t *tag, opens string, r *reader) error {
	if err := r.end(); err != nil {
		return err
	}
	if len(c.blocks) == 0 {
		return errorAt(t.at, "{%% %s %%} without {%% %s %%}", t.name, opens)
	}
	b := c.blocks[len(c.blocks)-1]
	if b.tag.name != opens {
		return errorAt(t.at, "{%% %s %%}, but {%% %s %%} of line %d is still open", t.name, b.tag.name, b.tag.at.Line)
	}
	if err := c.sameDepth(t, &b); err != nil {
		return err
	}
	c.blocks = c.blocks[:len(c.blocks)-1]
	if b.local != "" {
		delete(c.locals, b.local)
		if b.shadowed != "" {
			c.locals[b.local] = b.shadowed
		}
	}
	c.write(t, "{% "+t.name+" %}")
	if c.direct() {
		return c.flush()
	}
	return nil
}

// sameDepth makes sure that leaving out a branch leaves whole paragraphs, lists
// and emphasis behind.
func (c *compiler) sameDepth(t *tag, b *block) error {
	if slices.Equal(c.elements, b.elements) {
		return nil
	}
	return errorAt(t.at, "{%% %s %%} stands deeper or less deep in lists, tables, quotes or emphasis than its {%% %s %%} on line %d; "+
		"put each on a line of its own, or both into the same paragraph", t.name, b.tag.name, b.tag.at.Line)
}
