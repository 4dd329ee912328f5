package sequences

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Attachment is a file that goes with a mail. Its bytes are those of the moment
// in which the sequence was read.
type Attachment struct {
	Name    string // without its folder
	Type    string // its media type
	Content []byte
}

// Limits of what goes with one mail. Many mailboxes refuse more, and Base64
// adds a third.
const (
	maxAttachment  = 10 << 20
	wideAttachment = 2 << 20 // beyond this lint advises a link
)

// fileKind is a type of file that may be attached: its media type, and how its
// bytes begin ("" is text in UTF-8).
type fileKind struct{ media, magic string }

// fileKinds are the attachments that ordinary mail programs open. Programs,
// scripts and pages are left out: filters refuse them, and rightly.
var fileKinds = map[string]fileKind{
	".pdf":  {"application/pdf", "%PDF-"},
	".png":  {"image/png", "\x89PNG\r\n\x1a\n"},
	".jpg":  {"image/jpeg", "\xff\xd8\xff"},
	".jpeg": {"image/jpeg", "\xff\xd8\xff"},
	".gif":  {"image/gif", "GIF8"},
	".docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\x03\x04"},
	".xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\x03\x04"},
	".pptx": {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "PK\x03\x04"},
	".odt":  {"application/vnd.oasis.opendocument.text", "PK\x03\x04"},
	".ods":  {"application/vnd.oasis.opendocument.spreadsheet", "PK\x03\x04"},
	".zip":  {"application/zip", "PK\x03\x04"},
	".ics":  {"text/calendar; charset=utf-8", "BEGIN:VCALENDAR"},
	".vcf":  {"text/vcard; charset=utf-8", "BEGIN:VCARD"},
	".csv":  {"text/csv; charset=utf-8", ""},
	".txt":  {"text/plain; charset=utf-8", ""},
}

// attachable says whether files of this name may be attached.
func attachable(name string) bool {
	_, known := fileKinds[strings.ToLower(path.Ext(name))]
	return known
}

// readLetter reads the settings that concern what a mail is made of.
func (r *reader) readLetter(set settings, st *Step) {
	for _, key := range []string{"plain", "attach", "calendar"} {
		if s, given := set[key]; given && st.Do != Email {
			r.wrongAt(s.keyAt, fmt.Errorf("%s: belongs to a mail; this step is a %s", key, st.Do), "")
			return
		}
	}
	if s, ok := r.filled(set, "plain"); ok {
		st.Plain = r.readYesNo(s)
	}
	if s, ok := r.filled(set, "attach"); ok {
		r.readAttach(s, st)
	}
	r.readCalendar(set, st)
}

// readAttach reads the comma separated list of attach:.
func (r *reader) readAttach(s setting, st *Step) {
	at, total := 0, 0
	for part := range strings.SplitSeq(s.value, ",") {
		name := strings.TrimSpace(part)
		where := at + len(part) - len(strings.TrimLeft(part, " \t"))
		at += len(part) + 1
		a, err := r.attachment(name, st.Attach)
		if err != nil {
			near, _, text := parts(err)
			r.wrongValue(s, wrong("%v", text).meant(near).after(where))
			continue
		}
		if total += len(a.Content); total > maxAttachment {
			r.wrongValue(s, wrong("the attachments hold more than %d MB together", maxAttachment>>20).after(where))
			return
		}
		if n := len(a.Content); n > wideAttachment {
			r.advise(s.at(where), fmt.Sprintf("%s holds %d MB", a.Name, n>>20), "many mailboxes are slow with it; put it on a page and link to it")
		}
		st.Attach = append(st.Attach, a)
	}
}

// attachment reads one file and looks whether it is what its name says.
func (r *reader) attachment(name string, before []Attachment) (Attachment, error) {
	if name == "" {
		return Attachment{}, errors.New("an empty name in the list")
	}
	a := Attachment{Name: path.Base(name)}
	ending := strings.ToLower(path.Ext(name))
	kind, known := fileKinds[ending]
	switch {
	case slices.ContainsFunc(before, func(b Attachment) bool { return b.Name == a.Name }):
		return a, wrong("%s is attached twice", a.Name)
	case ending == "":
		return a, wrong("the name %q has no ending, such as .pdf", shorten(name))
	case !known:
		return a, wrong("%s files are not attached; mail filters refuse them, or few people can open them", ending)
	}
	content, err := r.beside.read(name, maxAttachment)
	switch {
	case err != nil && strings.Contains(err.Error(), errTooLarge.Error()):
		return a, wrong("%s holds more than %d MB", name, maxAttachment>>20)
	case err != nil:
		return a, err
	case r.beside.folder() == nil:
	case len(content) == 0:
		return a, wrong("%s is empty", name)
	case kind.magic != "" && !bytes.HasPrefix(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), []byte(kind.magic)):
		return a, wrong("%s is no %s file by its first bytes", name, strings.TrimPrefix(ending, "."))
	case kind.magic == "" && !utf8.Valid(content):
		return a, wrong("%s is not UTF-8", name)
	}
	a.Type, a.Content = kind.media, content
	return a, nil
}

// checkOpens refuses a step that can never leave: one that waits for business
// days and may only go out on others.
func (r *reader) checkOpens(set settings, st Step) {
	w, ok := st.Send.(workdays)
	if !ok || w.Schedule == r.opens {
		return
	}
	if !w.First(anyDay).IsZero() {
		r.opens = w.Schedule // most steps have the sequence's
		return
	}
	at, given := set["send"]
	if !given {
		if at, given = r.frontSet["send"]; !given {
			at = set["wait"]
		}
	}
	r.wrongAt(at.valueAt, errors.New("this schedule never opens on a business day, and the step waits in business days"), "")
}

// anyDay is an ordinary Monday, from which lint imagines a sequence.
var anyDay = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
