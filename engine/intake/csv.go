package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"nudge/engine"
)

const (
	// maxFile bounds a file, in bytes: some 200,000 rows.
	maxFile = 32 << 20
	// maxValue bounds a value, in characters. A mail that pours in more than
	// this is no longer a short personal mail.
	maxValue = 1000
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// columnName is what a template can name.
var columnName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// ReadCSV reads a file of prospects: UTF-8, comma separated (RFC 4180), the
// first line naming the columns. The column email is required, name is
// optional, every other one is a field; names are trimmed and lower-cased. An
// empty value is a field that this prospect does not have. Row numbers are
// lines of the file, the header being 1. The error is about the whole file;
// rows that cannot be taken as they are come back as rejected.
func ReadCSV(r io.Reader) ([]engine.ImportRow, []engine.RejectedRow, error) {
	source, err := readAll(r)
	if err != nil {
		return nil, nil, err
	}
	records := csv.NewReader(bytes.NewReader(source))
	records.FieldsPerRecord = -1 // counted here, to reject the row and read on
	records.ReuseRecord = true
	records.TrimLeadingSpace = true // a space before a quotation mark is how people type lists
	header, err := records.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("the file is empty; its first line must name the columns: email,name,…")
	} else if err != nil {
		line, reason := csvMistake(err)
		return nil, nil, fmt.Errorf("line %d: %s", line, reason)
	}
	t := table{seen: map[string]int{}}
	if t.columns, err = columns(header); err != nil {
		return nil, nil, err
	}
	for {
		record, err := records.Read()
		switch {
		case errors.Is(err, io.EOF):
			return t.rows, t.rejected, nil
		case err != nil:
			line, reason := csvMistake(err)
			t.reject(line, "", reason)
		default:
			line, _ := records.FieldPos(0)
			t.add(line, record)
		}
	}
}

// readAll reads the source and makes sure that it is text.
func readAll(r io.Reader) ([]byte, error) {
	source, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(source) > maxFile {
		return nil, fmt.Errorf("the file is larger than %d MB; split it", maxFile>>20)
	}
	source = bytes.TrimPrefix(source, byteOrderMark)
	if first, _, _ := bytes.Cut(source, []byte("\n")); bytes.ContainsRune(bytes.TrimRight(first, "\r"), '\r') {
		return nil, errors.New("the lines end as on old Macs, with CR alone; save the file as CSV UTF-8, not as CSV (Macintosh)")
	}
	for at := 0; at < len(source); {
		c, size := utf8.DecodeRune(source[at:])
		if c == utf8.RuneError && size == 1 {
			return nil, fmt.Errorf("line %d is not UTF-8; save the file as CSV UTF-8", 1+bytes.Count(source[:at], []byte("\n")))
		}
		at += size
	}
	return source, nil
}

// columns checks the header.
func columns(header []string) ([]string, error) {
	names := make([]string, len(header))
	at := map[string]int{}
	for i, written := range header {
		name := strings.ToLower(strings.TrimSpace(written))
		switch {
		case len(header) == 1 && strings.ContainsAny(name, ";\t"):
			return nil, errors.New("line 1: the columns are not separated by commas; save the file as CSV with commas")
		case name == "":
			return nil, fmt.Errorf("line 1: column %d has no name", i+1)
		case !columnName.MatchString(name) && meansEmail(name) && !named(header, "email"):
			return nil, fmt.Errorf("line 1: %q cannot be a field; if it holds the email addresses, name the column \"email\"", written)
		case !columnName.MatchString(name):
			return nil, fmt.Errorf("line 1: %q cannot be a field; name the column like %q (a to z, digits and _)", written, suggestName(name))
		case at[name] > 0:
			return nil, fmt.Errorf("line 1: columns %d and %d are both named %q", at[name], i+1, name)
		}
		at[name], names[i] = i+1, name
	}
	if at["email"] == 0 {
		advice := ""
		if i := slices.IndexFunc(names, meansEmail); i >= 0 {
			advice = fmt.Sprintf("; if %s holds the email addresses, name it email", names[i])
		}
		return nil, fmt.Errorf("line 1: there is no column named email, only %s%s", strings.Join(names, ", "), advice)
	}
	return names, nil
}

// named says whether a header has a column of a name.
func named(header []string, name string) bool {
	return slices.ContainsFunc(header, func(written string) bool { return strings.EqualFold(strings.TrimSpace(written), name) })
}

// emailWords are what people and programs call the column of addresses, letters
// alone.
var emailWords = regexp.MustCompile(`^(primary|work|business|contact|customer|client)?(e?mail|epost|courriel|correo)(adress|address|adresse|addr|id)?(es|value)?[0-9]*$|^address(es)?$`)

// meansEmail says whether a heading probably stands over the addresses. It is
// asked about, never taken: a wrong guess would write to the wrong people.
func meansEmail(heading string) bool {
	letters := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(heading))
	return emailWords.MatchString(letters)
}

// suggestName turns a heading into the nearest name a template can use.
func suggestName(written string) string {
	words := strings.FieldsFunc(written, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
	name := strings.TrimLeft(strings.Join(words, "_"), "0123456789_")
	if name == "" {
		return "quote_no"
	}
	return name
}

// table gathers rows.
type table struct {
	columns  []string
	rows     []engine.ImportRow
	rejected []engine.RejectedRow
	seen     map[string]int // address key → line
}

func (t *table) reject(line int, column, reason string) {
	t.rejected = append(t.rejected, engine.RejectedRow{Row: line, Column: column, Reason: reason})
}

// add reads one record. All of a row's mistakes are reported, not only the
// first.
func (t *table) add(line int, record []string) {
	if strings.TrimSpace(strings.Join(record, "")) == "" {
		return // what a spreadsheet leaves below its last row
	}
	if len(record) != len(t.columns) {
		t.reject(line, "", fmt.Sprintf("%d values for %d columns", len(record), len(t.columns)))
		return
	}
	row := engine.ImportRow{Row: line, Fields: map[string]string{}}
	before := len(t.rejected)
	for i, value := range record {
		column := t.columns[i]
		if reason := valueMistake(value); reason != "" {
			t.reject(line, column, reason)
			continue
		}
		value = strings.Clone(strings.TrimSpace(value))
		switch {
		case column == "email":
			t.address(&row, value)
		case column == "name":
			row.Name = value
		case value != "":
			row.Fields[column] = value
		}
	}
	if len(t.rejected) == before {
		t.rows = append(t.rows, row)
	}
}

// address checks a row's address and that the person is new to the file.
func (t *table) address(row *engine.ImportRow, value string) {
	address, err := engine.CleanAddress(value)
	if err != nil {
		t.reject(row.Row, "email", err.Error())
		return
	}
	key := engine.AddressKey(address)
	if first, found := t.seen[key]; found {
		t.reject(row.Row, "email", fmt.Sprintf("the same person as in line %d", first))
		return
	}
	t.seen[key] = row.Row
	row.Address = address
}

// valueMistake says what makes a value unfit for a mail, or "". A line break
// could start a header of its own, which is why it is refused here and not
// repaired.
func valueMistake(value string) string {
	switch {
	case strings.ContainsAny(value, "\r\n\u0085\u2028\u2029"):
		return "the value contains a line break"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "the value contains a control character"
	case utf8.RuneCountInString(value) > maxValue:
		return fmt.Sprintf("the value is longer than %d characters", maxValue)
	}
	return ""
}

// csvMistake puts a mistake in the file's quoting into words.
func csvMistake(err error) (line int, reason string) {
	mistake, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return 0, err.Error()
	case errors.Is(mistake.Err, csv.ErrBareQuote):
		return mistake.StartLine, `a quotation mark inside a value; put the whole value in quotation marks and write the inner one twice`
	case errors.Is(mistake.Err, csv.ErrQuote):
		return mistake.StartLine, `a quotation mark that is not closed, or is followed by more than a comma`
	}
	return mistake.StartLine, mistake.Err.Error()
}
