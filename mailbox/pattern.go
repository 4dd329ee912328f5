package mailbox

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first used. Most
// commands read no mail, and compiling what reading it takes costs more than
// all else that starts them.
type pattern struct{ compiled func() *regexp.Regexp }

func newPattern(expression string) pattern {
	return pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })}
}

// The methods are those of regexp.Regexp.

func (p pattern) MatchString(s string) bool            { return p.compiled().MatchString(s) }
func (p pattern) FindString(s string) string           { return p.compiled().FindString(s) }
func (p pattern) FindStringIndex(s string) []int       { return p.compiled().FindStringIndex(s) }
func (p pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }
func (p pattern) FindStringSubmatchIndex(s string) []int {
	return p.compiled().FindStringSubmatchIndex(s)
}
func (p pattern) FindSubmatch(b []byte) [][]byte         { return p.compiled().FindSubmatch(b) }
func (p pattern) FindAllString(s string, n int) []string { return p.compiled().FindAllString(s, n) }
func (p pattern) FindAllStringIndex(s string, n int) [][]int {
	return p.compiled().FindAllStringIndex(s, n)
}
func (p pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.compiled().FindAllStringSubmatch(s, n)
}
func (p pattern) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return p.compiled().FindAllStringSubmatchIndex(s, n)
}
func (p pattern) ReplaceAll(b, with []byte) []byte { return p.compiled().ReplaceAll(b, with) }
func (p pattern) ReplaceAllString(s, with string) string {
	return p.compiled().ReplaceAllString(s, with)
}
func (p pattern) ReplaceAllStringFunc(s string, f func(string) string) string {
	return p.compiled().ReplaceAllStringFunc(s, f)
}
func (p pattern) Split(s string, n int) []string { return p.compiled().Split(s, n) }
