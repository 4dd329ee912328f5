package templates

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clean makes a prospect's value fit to be written: line breaks are LF, other
// control characters and marks that turn the writing direction are gone, the
// ends are trimmed, and it is no longer than maxValue characters.
func clean(value string) string {
	if isClean(value) {
		return value
	}
	value = strings.ReplaceAll(value, "\r\n", "\n")
	value = strings.Map(cleanRune, strings.ToValidUTF8(value, "\uFFFD"))
	value = strings.TrimSpace(value)
	count := 0
	for i := range value {
		if count == maxValue {
			return strings.TrimSpace(value[:i])
		}
		count++
	}
	return value
}

// isClean spots the values that most prospects have.
func isClean(value string) bool {
	if len(value) > maxValue {
		return false
	}
	if n := len(value); n > 0 && (value[0] <= ' ' || value[n-1] <= ' ') {
		return false
	}
	for i := 0; i < len(value); i++ {
		if c := value[i]; c < ' ' && c != '\n' || c >= 0x7f {
			return false
		}
	}
	return true
}

func cleanRune(r rune) rune {
	switch {
	case r == '\n':
		return r
	case r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
		return '\n'
	case r == '\t':
		return ' '
	case unicode.IsControl(r), turnsDirection(r), r == 0x200B, r == 0x2060, r == 0xFEFF:
		return -1
	}
	return r
}

// turnsDirection finds the marks by which a value could show other words than
// it holds (Unicode technical report 36, section 2.2).
func turnsDirection(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// number reads what people take for a number, for a comparison.
func number(value string) (float64, bool) {
	digits, ok := numeral(value)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(digits, 64)
	return n, err == nil
}

// numeral finds the sign, the digits and the point of what people take for a
// number: 6200, -3.5, 12,500.00, 1 250. A leading zero makes it an article
// number or a telephone.
func numeral(value string) (string, bool) {
	value = strings.TrimSpace(value)
	digits := strings.TrimPrefix(value, "-")
	if len(digits) > 24 || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return "", false
	}
	if len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return "", false
	}
	whole, fraction, dotted := strings.Cut(digits, ".")
	if dotted && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return "", false
	}
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r == ',' || r == ' ' || r == 0xA0 || r == 0x202F })
	joined := strings.Join(groups, "")
	if strings.Trim(joined, "0123456789") != "" || !grouped(whole, groups) {
		return "", false
	}
	sign := value[:len(value)-len(digits)]
	return sign + strings.TrimSuffix(joined+"."+fraction, "."), true
}

// grouped says whether digits are grouped by thousands, or not at all.
func grouped(whole string, groups []string) bool {
	if utf8.RuneCountInString(whole) != len(strings.Join(groups, ""))+len(groups)-1 {
		return false // two separators in a row, or one at an end
	}
	for i, g := range groups {
		if len(groups) > 1 && (len(g) > 3 || i > 0 && len(g) != 3) {
			return false
		}
	}
	return true
}

// display writes the result of an expression. Fractions are rounded to a
// millionth, so that 0.1 plus 0.2 is 0.3.
func display(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if math.Abs(v) < 1e9 {
			v = math.Round(v*1e6) / 1e6
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case decimal:
		return v.String()
	case time.Time:
		return v.Format("2006-01-02")
	case []string:
		return strings.Join(v, "")
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(display(e))
		}
		return b.String()
	}
	return ""
}

// appendHTML writes a value as words of an HTML document. Its line breaks are
// kept.
func appendHTML(dst []byte, value string) []byte {
	last := 0
	for i := 0; i < len(value); i++ {
		var escape string
		switch value[i] {
		case '&':
			escape = "&amp;"
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '"':
			escape = "&quot;"
		case '\'':
			escape = "&#39;"
		case '\n':
			escape = "<br>\n"
		default:
			continue
		}
		dst = append(append(dst, value[last:i]...), escape...)
		last = i + 1
	}
	return append(dst, value[last:]...)
}

// appendText writes a value as words of the plain text. Its line breaks are
// kept.
func appendText(dst []byte, value string) []byte {
	for {
		before, after, more := strings.Cut(value, "\n")
		dst = append(dst, strings.TrimRight(before, " ")...)
		if !more {
			return dst
		}
		dst = append(dst, markBreak)
		value = strings.TrimLeft(after, " ")
	}
}

// appendLine writes words or a value into a subject.
func appendLine(dst []byte, value string) []byte {
	for _, r := range value {
		switch {
		case unicode.IsSpace(r):
			dst = append(dst, ' ')
		case !unicode.IsControl(r) && !turnsDirection(r):
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
