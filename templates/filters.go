package templates

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/osteele/liquid"
	"github.com/osteele/liquid/render"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// filterRule says what a template may ask of a filter.
type filterRule struct {
	least, most int    // arguments
	keepsBlank  bool   // nothing in, nothing out: a default may follow it
	sums        bool   // reads numbers
	dates       bool   // reads a date
	list        bool   // reads a list,
	makesList   bool   // or makes one
	numbers     int    // how many of the arguments, from the first, are numbers
	says        string // what comes out
}

// filterRules are the filters of the language. All others, among them those
// that would write unescaped words, are refused.
var filterRules = map[string]filterRule{
	"append":             {least: 1, most: 1, says: "the value with words behind it"},
	"capitalize":         {keepsBlank: true, says: "the first letter large"},
	"date":               {least: 1, most: 1, dates: true, says: "a date written as asked: `{{ day | date: \"%-d %B\" }}` is 4 March; one that names an offset, as the clocks of the prospect's time zone show it"},
	"default":            {least: 1, most: 1, keepsBlank: true, says: "other words, or another field, where there is no value"},
	"downcase":           {keepsBlank: true, says: "all letters small"},
	"escape":             {keepsBlank: true, says: "nothing more: values are always escaped"},
	"first":              {list: true, says: "the first of a list"},
	"join":               {list: true, most: 1, says: "a list as one text, with words between"},
	"last":               {list: true, says: "the last of a list"},
	"lstrip":             {keepsBlank: true, says: "without spaces in front"},
	"newline_to_br":      {keepsBlank: true, says: "nothing more: line breaks are always kept"},
	"plus_business_days": {numbers: 1, least: 1, most: 1, dates: true, says: "a date so many business days later, without weekends and the sequence's holidays"},
	"plus_days":          {numbers: 1, least: 1, most: 1, dates: true, says: "a date so many days later"},
	"prepend":            {least: 1, most: 1, says: "the value with words in front"},
	"remove":             {least: 1, most: 1, keepsBlank: true, says: "without these words"},
	"remove_first":       {least: 1, most: 1, keepsBlank: true, says: "without the first of these words"},
	"replace":            {least: 2, most: 2, says: "these words replaced by others"},
	"replace_first":      {least: 2, most: 2, says: "the first of these words replaced"},
	"reverse":            {list: true, makesList: true, says: "a list in the other order"},
	"rstrip":             {keepsBlank: true, says: "without spaces behind"},
	"size":               {says: "how many letters or list members"},
	"slice":              {numbers: 2, least: 1, most: 2, says: "a part: from where, and how long"},
	"sort":               {list: true, makesList: true, says: "a list in order"},
	"split":              {makesList: true, least: 1, most: 1, says: "a list, cut at these words"},
	"strip":              {keepsBlank: true, says: "without spaces around"},
	"strip_newlines":     {keepsBlank: true, says: "without line breaks"},
	"truncate":           {numbers: 1, most: 2, keepsBlank: true, says: "at most so many letters, `...` included"},
	"truncatewords":      {numbers: 1, most: 2, keepsBlank: true, says: "at most so many words"},
	"uniq":               {list: true, makesList: true, says: "a list without repetitions"},
	"upcase":             {keepsBlank: true, says: "all letters large"},
	"url_encode":         {keepsBlank: true, says: "fit for a link; done anyway inside of links"},

	"abs":        {sums: true, says: "without its sign"},
	"ceil":       {sums: true, says: "rounded up"},
	"divided_by": {numbers: 1, least: 1, most: 1, sums: true, says: "divided; `1000` by `12` is `83.3333333333`, and `round: 2` makes `83.33` of it"},
	"floor":      {sums: true, says: "rounded down"},
	"minus":      {numbers: 1, least: 1, most: 1, sums: true, says: "less"},
	"modulo":     {numbers: 1, least: 1, most: 1, sums: true, says: "what is left of a whole number of these"},
	"plus":       {numbers: 1, least: 1, most: 1, sums: true, says: "more"},
	"round":      {numbers: 1, most: 1, sums: true, says: "rounded half up, to so many digits"},
	"times":      {numbers: 1, least: 1, most: 1, sums: true, says: "multiplied"},
}

// maxString bounds what filters may build: doubling in a loop grows fast.
const maxString = 64 << 10

var errLongValue = fmt.Errorf("a value of more than %d KiB", maxString>>10)

// engine is Liquid with our filters. Names that begin with "_" are for the
// compiler's own use; templates cannot write them. It is not changed after it
// is made, so goroutines may share it.
var engine = newEngine()

func newEngine() *liquid.Engine {
	e := liquid.NewEngine()
	e.UnregisterTag("include")
	e.RegisterTag("_round", countRound)
	for _, p := range places {
		e.RegisterFilter(p.filter, func(value any) string {
			return string(p.write(nil, clean(display(value))))
		})
	}
	e.RegisterFilter("_need", need)
	e.RegisterFilter("_string", func(value any) string { return display(value) })
	e.RegisterFilter("_list", listForm)
	e.RegisterFilter("_compare", compareForm)
	e.RegisterFilter("_int", intForm)
	e.RegisterFilter("_filled", filled)
	e.RegisterFilter("_time", timeForm)
	e.RegisterFilter("_number", numberOf)
	e.RegisterFilter("date", writeDate)

	e.RegisterFilter("default", func(value, fallback any) any {
		if value == false || filled(value) == nil {
			return fallback
		}
		return value
	})
	same := func(s string) string { return s }
	e.RegisterFilter("escape", same)
	e.RegisterFilter("newline_to_br", same)
	e.RegisterFilter("capitalize", capitalize)
	e.RegisterFilter("append", func(s, suffix string) (string, error) { return bounded(s + suffix) })
	e.RegisterFilter("prepend", func(s, prefix string) (string, error) { return bounded(prefix + s) })
	e.RegisterFilter("replace", func(s, old, with string) (string, error) { return replace(s, old, with, -1) })
	e.RegisterFilter("replace_first", func(s, old, with string) (string, error) { return replace(s, old, with, 1) })
	e.RegisterFilter("join", joinList)
	e.RegisterFilter("plus_days", plusDays)
	e.RegisterFilter("plus_business_days", plusBusinessDays)
	e.RegisterFilter("plus", calculation(plus))
	e.RegisterFilter("minus", calculation(minus))
	e.RegisterFilter("times", calculation(times))
	e.RegisterFilter("divided_by", calculation(dividedBy))
	e.RegisterFilter("modulo", calculation(modulo))
	e.RegisterFilter("abs", rounding(absolute))
	e.RegisterFilter("ceil", rounding(ceil))
	e.RegisterFilter("floor", rounding(floor))
	e.RegisterFilter("round", round)
	e.RegisterFilter("upcase", func(s string) string { return cases.Upper(language.Und).String(s) })
	e.RegisterFilter("downcase", func(s string) string { return cases.Lower(language.Und).String(s) })
	e.RegisterFilter("first", func(value any) (any, error) { return member(value, func(int) int { return 0 }) })
	e.RegisterFilter("last", func(value any) (any, error) { return member(value, func(n int) int { return n - 1 }) })
	e.RegisterFilter("reverse", reverse)
	e.RegisterFilter("sort", sortList)
	e.RegisterFilter("uniq", uniq)
	e.RegisterFilter("size", size)
	e.RegisterFilter("slice", slice)
	e.RegisterFilter("truncate", truncate)
	e.RegisterFilter("truncatewords", truncateWords)
	return e
}

// countRound ends loops that run away.
func countRound(ctx render.Context) (string, error) {
	rounds, ok := ctx.Get(roundsName).(*int)
	if !ok {
		return "", errors.New("for: nothing counts its rounds")
	}
	if *rounds++; *rounds > maxLoops {
		return "", fmt.Errorf("for: more than %d rounds", maxLoops)
	}
	return "", nil
}

// need stops at a field that has no value.
func need(value any, field string) (any, error) {
	if value == nil {
		return nil, &MissingError{Field: field}
	}
	return value, nil
}

// filled is nil for a value of nothing but spaces.
func filled(value any) any {
	switch v := value.(type) {
	case string:
		if strings.TrimSpace(v) == "" {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	case []string:
		if len(v) == 0 {
			return nil
		}
	}
	return value
}

// listForm is a value in which contains looks: a list, or words.
func listForm(value any) any {
	switch value.(type) {
	case []any, []string:
		return value
	}
	return display(value)
}

// compareForm is a value as a condition sees it beside a number.
func compareForm(value any) any {
	switch v := value.(type) {
	case decimal:
		n, _ := v.exact.Float64()
		return n
	case string:
		if n, ok := number(v); ok {
			return n
		}
	}
	return value
}

func bounded(s string) (string, error) {
	if len(s) > maxString {
		return "", errLongValue
	}
	return s, nil
}

func capitalize(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func replace(s, old, with string, n int) (string, error) {
	if count := strings.Count(s, old); count*len(with) > maxString {
		return "", errLongValue
	}
	return bounded(strings.Replace(s, old, with, n))
}

func truncate(s string, length func(any) any, ellipsis func(string) string) (string, error) {
	n, err := intForm(length(50))
	end, runes := ellipsis("..."), []rune(s)
	if len(runes) > n {
		s = string(runes[:max(0, n-utf8.RuneCountInString(end))]) + end
	}
	return s, err
}

func truncateWords(s string, length func(any) any, ellipsis func(string) string) (string, error) {
	n, err := intForm(length(15))
	if words := strings.Fields(s); len(words) > max(0, n) {
		s = strings.Join(words[:max(0, n)], " ") + ellipsis("...")
	}
	return s, err
}
