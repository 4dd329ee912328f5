package templates

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
