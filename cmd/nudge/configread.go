package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// configPlaces are looked at in this order when --config is not given.
var configPlaces = []string{"nudge.toml", "/etc/nudge/nudge.toml"}

// errNoConfig says that there is no config file and none was named.
var errNoConfig = &trouble{code: exitUsage, what: "there is no nudge.toml here, nor /etc/nudge/nudge.toml",
	hint: "write one, or name it with --config FILE"}

// readConfig reads the config file, or the first of the usual places when file
// is "", and puts the environment's overrides on top.
func readConfig(file string, env []string) (*config, error) {
	source, file, err := openConfig(file)
	if err == nil {
		err = configOpen(file)
	}
	if err != nil {
		return nil, err
	}
	c, err := decodeConfig(file, source)
	if err != nil {
		return nil, err
	}
	return c, c.override(env)
}

func openConfig(file string) ([]byte, string, error) {
	if file != "" {
		source, err := readPlain(file)
		if err != nil {
			return nil, "", configTrouble(file, err)
		}
		return source, file, nil
	}
	for _, place := range configPlaces {
		source, err := readPlain(place)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, "", configTrouble(place, err)
		}
		return source, place, nil
	}
	return nil, "", errNoConfig
}

// configTrouble says why the config cannot be read. Whatever the reason, it is
// a mistake in the call: nothing can be done without it.
func configTrouble(path string, err error) error {
	t := asTrouble(fileTrouble(path, err, "name another with --config FILE"))
	return &trouble{code: exitUsage, what: "config: " + t.what, hint: cmp.Or(t.hint, "name another with --config FILE")}
}

// decodeConfig reads TOML strictly: a key that nothing reads is a mistake. The
// mark that editors on Windows put before UTF-8 is left out.
func decodeConfig(file string, source []byte) (*config, error) {
	source = bytes.TrimPrefix(source, []byte("\uFEFF"))
	if !utf8.Valid(source) {
		return nil, &trouble{code: exitUsage, what: file + " is not UTF-8", hint: "save the file as UTF-8"}
	}
	c := &config{file: file, origin: keyPlaces(file, source)}
	d := toml.NewDecoder(bytes.NewReader(source)).DisallowUnknownFields()
	err := d.Decode(c)
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		return nil, unknownKeys(file, unknown)
	}
	if mistake, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := mistake.Position()
		what, hint := strings.TrimPrefix(mistake.Error(), "toml: "), "a line is written as key = \"text\", key = 7, key = [\"a\", \"b\"] or [section]"
		if field, found := fieldOf(reflect.TypeFor[config](), mistake.Key()); found {
			what, hint = mistake.Key()[len(mistake.Key())-1]+" "+wantedKind(field), ""
		} else if strings.HasPrefix(what, "basic strings cannot have new lines") {
			what, hint = "the quotation mark is not closed on this line", "write the text between two quotation marks, and \\n for a new line in it"
		}
		return nil, &trouble{code: exitUsage, what: fmt.Sprintf("%s:%d:%d: %s", file, line, column, what), hint: hint}
	}
	if err != nil {
		return nil, &trouble{code: exitUsage, what: fmt.Sprintf("%s: %v", file, err)}
	}
	return c, nil
}

// unknownKeys reports every key that nothing reads.
func unknownKeys(file string, unknown *toml.StrictMissingError) error {
	var lines []string
	hint := ""
	for i := range unknown.Errors {
		mistake := &unknown.Errors[i]
		line, column := mistake.Position()
		key := mistake.Key()
		word := key[len(key)-1]
		place := configName(file)
		known := keysOf(reflect.TypeFor[config]())
		if table, ok := fieldOf(reflect.TypeFor[config](), key[:len(key)-1]); ok && len(key) > 1 {
			known, place = keysOf(table), "["+strings.Join(key[:len(key)-1], ".")+"]"
		} else if len(key) > 1 {
			word = key[0]
		}
		if word == "password" {
			hint = "a config file is no place for a password; use password-from = \"credential NAME\", \"file PATH\", \"command CMD\" or \"env NAME\""
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: unknown key %q%s", file, line, column, word, didYouMean(word, known)))
		if hint == "" {
			hint = "keys of " + place + ": " + strings.Join(known, ", ")
		}
	}
	return &trouble{code: exitUsage, what: strings.Join(lines, "\n"), hint: hint}
}

// fieldOf finds the type behind a key path.
func fieldOf(t reflect.Type, key []string) (reflect.Type, bool) {
	for _, part := range key {
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return nil, false
		}
		found := false
		for field := range t.Fields() {
			if field.Tag.Get("toml") == part {
				t, found = field.Type, true
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	return t, len(key) > 0
}

// keysOf lists the keys of a table in the order of its struct.
func keysOf(t reflect.Type) []string {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var keys []string
	if t.Kind() != reflect.Struct {
		return nil
	}
	for field := range t.Fields() {
		if key := field.Tag.Get("toml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// wantedKind says how a value of a type is written.
func wantedKind(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.String, t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.String:
		return `must be text in quotation marks`
	case t.Kind() == reflect.Bool:
		return "must be true or false without quotation marks"
	case t.Kind() == reflect.Pointer:
		return "must be a whole number without quotation marks"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return `must be a list of texts: ["…", "…"]`
	case t.Kind() == reflect.Slice:
		return "must be written as [[mailbox]], with its keys below"
	}
	return "must be written as a table, with its keys below"
}

var (
	tableLine = regexp.MustCompile(`^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]`)
	keyLine   = regexp.MustCompile(`^(\s*)([A-Za-z0-9_-]+)\s*=`)
)

// keyPlaces notes where each key stands, for messages about its value. The TOML
// decoder knows only the places of its own mistakes.
func keyPlaces(file string, source []byte) map[string]string {
	places := map[string]string{}
	table, boxes := "", 0
	n := 0
	for line := range bytes.Lines(source) {
		n++
		if found := tableLine.FindSubmatch(line); found != nil {
			table = string(found[2]) + "."
			if len(found[1]) == 2 {
				table += strconv.Itoa(boxes) + "."
				boxes++
			}
			continue
		}
		if found := keyLine.FindSubmatch(line); found != nil {
			key := table + string(found[2])
			if places[key] == "" {
				places[key] = fmt.Sprintf("%s:%d:%d", file, n, len(found[1])+1)
			}
		}
	}
	return places
}

// lastKey is the part of a key path that a person wrote.
func lastKey(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
