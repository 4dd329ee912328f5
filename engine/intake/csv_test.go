package intake

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
)

func TestReadCSV(t *testing.T) {
	tests := []struct {
		name     string
		source   string
		rows     []engine.ImportRow
		rejected []engine.RejectedRow
	}{
		{
			name:   "every column but email and name is a field",
			source: "email,name,quote_no\nmaria@example.com,Maria Lund,1042\n",
			rows:   []engine.ImportRow{{Row: 2, Address: "maria@example.com", Name: "Maria Lund", Fields: map[string]string{"quote_no": "1042"}}},
		},
		{
			name:   "a byte order mark, CRLF, quotes and capitals in the header are tolerated",
			source: "\xef\xbb\xbfEmail , \"NAME\"\r\n\"maria@EXAMPLE.com\",\"Lund, Maria \"\"Mia\"\"\"\r\n",
			rows:   []engine.ImportRow{{Row: 2, Address: "maria@example.com", Name: `Lund, Maria "Mia"`, Fields: map[string]string{}}},
		},
		{
			name:   "an empty value is a field that is not there",
			source: "phone,email\n ,a@example.com\n12,b@example.com\n",
			rows: []engine.ImportRow{
				{Row: 2, Address: "a@example.com", Fields: map[string]string{}},
				{Row: 3, Address: "b@example.com", Fields: map[string]string{"phone": "12"}},
			},
		},
		{
			name:   "empty lines and rows of empty cells are passed over, and lines are still counted",
			source: "email,name\n\n,\na@example.com,\n",
			rows:   []engine.ImportRow{{Row: 4, Address: "a@example.com", Fields: map[string]string{}}},
		},
		{
			name:     "a line break inside a value rejects the row, and the next row has its own line",
			source:   "email,name\na@example.com,\"Ann\nBcc: x@example.com\"\nb@example.com,Bo\n",
			rows:     []engine.ImportRow{{Row: 4, Address: "b@example.com", Name: "Bo", Fields: map[string]string{}}},
			rejected: []engine.RejectedRow{{Row: 2, Column: "name", Reason: "the value contains a line break"}},
		},
		{
			name:   "control characters and overlong values are rejected with their column",
			source: "email,note,more\na@example.com,x\x00y," + strings.Repeat("é", 1001) + "\nb@example.com,," + strings.Repeat("é", 1000) + "\n",
			rows:   []engine.ImportRow{{Row: 3, Address: "b@example.com", Fields: map[string]string{"more": strings.Repeat("é", 1000)}}},
			rejected: []engine.RejectedRow{
				{Row: 2, Column: "note", Reason: "the value contains a control character"},
				{Row: 2, Column: "more", Reason: "the value is longer than 1000 characters"},
			},
		},
		{
			name:   "the same person twice is rejected the second time, however the address is spelled",
			source: "email\nmaria@example.com\nMaria+work@Example.com\n",
			rows:   []engine.ImportRow{{Row: 2, Address: "maria@example.com", Fields: map[string]string{}}},
			rejected: []engine.RejectedRow{
				{Row: 3, Column: "email", Reason: "the same person as in line 2"},
			},
		},
		{
			name:   "bad addresses and ragged rows are rejected, the others read on",
			source: "email,name\nnobody,No\n,Empty\nx@example.com\na@example.com,Ann,too much\nb@example.com,Bo\n",
			rows:   []engine.ImportRow{{Row: 6, Address: "b@example.com", Name: "Bo", Fields: map[string]string{}}},
			rejected: []engine.RejectedRow{
				{Row: 2, Column: "email", Reason: `"nobody" is not an address like anna@example.com`},
				{Row: 3, Column: "email", Reason: "the address is empty"},
				{Row: 4, Reason: "1 values for 2 columns"},
				{Row: 5, Reason: "3 values for 2 columns"},
			},
		},
		{
			name:   "a stray quotation mark rejects its row only",
			source: "email,name\na@example.com,Ann \"Mia\" B\nb@example.com,Bo\n",
			rows:   []engine.ImportRow{{Row: 3, Address: "b@example.com", Name: "Bo", Fields: map[string]string{}}},
			rejected: []engine.RejectedRow{
				{Row: 2, Reason: "a quotation mark inside a value; put the whole value in quotation marks and write the inner one twice"},
			},
		},
		{
			name:   "a quotation mark that is never closed rejects from where it stands",
			source: "email,name\na@example.com,\"Ann\nb@example.com,Bo\n",
			rejected: []engine.RejectedRow{
				{Row: 2, Reason: "a quotation mark that is not closed, or is followed by more than a comma"},
			},
		},
		{name: "a header alone has no rows", source: "email\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, rejected, err := ReadCSV(strings.NewReader(tt.source))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.rows, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rejected, rejected); diff != "" {
				t.Errorf("rejected (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadCSVRefusesTheFile(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"an empty file", "", "the file is empty; its first line must name the columns: email,name,…"},
		{"no email column", "mail,name\n", "line 1: there is no column named email, only mail, name; if mail holds the email addresses, name it email"},
		{"no email column at all", "to,name\n", "line 1: there is no column named email, only to, name"},
		{"a heading that means email", "name,E-mail\n", `line 1: "E-mail" cannot be a field; if it holds the email addresses, name the column "email"`},
		{"two words that mean email", "Email Address\n", `line 1: "Email Address" cannot be a field; if it holds the email addresses, name the column "email"`},
		{"e_mail", "e_mail,name\n", "line 1: there is no column named email, only e_mail, name; if e_mail holds the email addresses, name it email"},
		{"a second address beside email", "email,Work E-mail\n", `line 1: "Work E-mail" cannot be a field; name the column like "work_e_mail" (a to z, digits and _)`},
		{"lines that end as on old Macs", "email,quote_no\rA@b.se,1\r", "the lines end as on old Macs, with CR alone; save the file as CSV UTF-8, not as CSV (Macintosh)"},
		{"a column no template can name", "email,Quote No.\n", `line 1: "Quote No." cannot be a field; name the column like "quote_no" (a to z, digits and _)`},
		{"a column without a Latin letter", "email,№\n", `line 1: "№" cannot be a field; name the column like "quote_no" (a to z, digits and _)`},
		{"a column without a name", "email,name,\n", "line 1: column 3 has no name"},
		{"a column twice", "email,name,Name\n", `line 1: columns 2 and 3 are both named "name"`},
		{"semicolons", "email;name\na@example.com;Ann\n", "line 1: the columns are not separated by commas; save the file as CSV with commas"},
		{"Windows-1252", "email,name\na@example.com,Bj\xf6rn\n", "line 2 is not UTF-8; save the file as CSV UTF-8"},
		{"UTF-16", "\xff\xfee\x00m\x00", "line 1 is not UTF-8; save the file as CSV UTF-8"},
		{"a header with a stray quotation mark", "em\"ail,name\n", "line 1: a quotation mark inside a value; put the whole value in quotation marks and write the inner one twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := ReadCSV(strings.NewReader(tt.source))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestReadCSVPassesOnWhatTheDiskSays(t *testing.T) {
	broken := errors.New("input/output error")
	if _, _, err := ReadCSV(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// FuzzReadCSV holds what every file, however broken, must keep to: whatever
// comes out as a row can safely be put into a mail.
func FuzzReadCSV(f *testing.F) {
	f.Add("email,name\na@example.com,Ann\n")
	f.Add("\xef\xbb\xbfemail,x\r\n\"a@example.com\",\"1\n2\"\r\n")
	f.Add("email\n\"\n")
	f.Add("email,email\n")
	f.Fuzz(func(t *testing.T, source string) {
		rows, rejected, err := ReadCSV(strings.NewReader(source))
		if err != nil && (rows != nil || rejected != nil) {
			t.Fatal("a refused file has rows")
		}
		lines := 1 + strings.Count(source, "\n")
		seen := map[string]bool{}
		last := 1
		for _, row := range rows {
			if row.Row <= last || row.Row > lines {
				t.Fatalf("row numbers %d, %d of %d lines", last, row.Row, lines)
			}
			last = row.Row
			if clean, err := engine.CleanAddress(row.Address); err != nil || clean != row.Address {
				t.Fatalf("address %q: %v", row.Address, err)
			}
			if key := engine.AddressKey(row.Address); seen[key] {
				t.Fatalf("%s twice", key)
			} else {
				seen[key] = true
			}
			for name, value := range row.Fields {
				if !columnName.MatchString(name) || value == "" {
					t.Fatalf("field %q = %q", name, value)
				}
				safe(t, value)
			}
			safe(t, row.Name)
		}
		for _, r := range rejected {
			if r.Row < 2 || r.Row > lines || r.Reason == "" {
				t.Fatalf("rejected %+v of %d lines", r, lines)
			}
		}
	})
}

func safe(t *testing.T, value string) {
	t.Helper()
	if !utf8.ValidString(value) || utf8.RuneCountInString(value) > maxValue || strings.ContainsFunc(value, unicode.IsControl) {
		t.Fatalf("value %q", value)
	}
}
