package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// override puts the environment on top of what the file says. Every key has a
// variable: NUDGE_STATE, NUDGE_PACE_PER_PERSON, NUDGE_MAILBOX_SMTP, and where
// there are several mailboxes NUDGE_MAILBOX_SALES_SMTP for the one named sales.
// With no mailbox in the file, NUDGE_MAILBOX_ADDRESS makes one.
func (c *config) override(env []string) error {
	vars := map[string]string{}
	for _, entry := range env {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, "NUDGE_") {
			vars[name] = value
		}
	}
	if len(vars) == 0 {
		return nil
	}
	if len(c.Mailboxes) == 0 && vars["NUDGE_MAILBOX_ADDRESS"] != "" {
		c.Mailboxes = append(c.Mailboxes, mailboxConfig{})
	}
	if err := c.overrideTable(reflect.ValueOf(c).Elem(), "", "NUDGE_", vars); err != nil {
		return err
	}
	if err := c.overrideTable(reflect.ValueOf(&c.Pace).Elem(), "pace.", "NUDGE_PACE_", vars); err != nil {
		return err
	}
	if err := c.overrideTable(reflect.ValueOf(&c.Backup).Elem(), "backup.", "NUDGE_BACKUP_", vars); err != nil {
		return err
	}
	for i := range c.Mailboxes {
		var prefixes []string
		if len(c.Mailboxes) == 1 {
			prefixes = append(prefixes, "NUDGE_MAILBOX_")
		}
		if name := c.Mailboxes[i].Name; name != "" {
			prefixes = append(prefixes, "NUDGE_MAILBOX_"+variable(name)+"_")
		}
		for _, prefix := range prefixes {
			if err := c.overrideTable(reflect.ValueOf(&c.Mailboxes[i]).Elem(), fmt.Sprintf("mailbox.%d.", i), prefix, vars); err != nil {
				return err
			}
		}
	}
	return nil
}

// variable spells a key or a name as a part of a variable's name.
func variable(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(s))
}

// overrideTable sets the keys of one table that have a variable.
func (c *config) overrideTable(table reflect.Value, path, prefix string, vars map[string]string) error {
	for field, value := range table.Fields() {
		key := field.Tag.Get("toml")
		name := prefix + variable(key)
		text, set := vars[name]
		if key == "" || !set {
			continue
		}
		switch target := value.Addr().Interface().(type) {
		case *string:
			*target = text
		case **string:
			*target = &text
		case **int:
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				return &trouble{code: exitUsage, what: fmt.Sprintf("%s: %q is not a whole number", name, text)}
			}
			*target = &n
		case *bool:
			if text != "true" && text != "false" {
				return &trouble{code: exitUsage, what: fmt.Sprintf("%s: %q is neither true nor false", name, text)}
			}
			*target = text == "true"
		case *[]string:
			*target = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
		default:
			continue
		}
		c.origin[path+key] = name
	}
	return nil
}
