package mailbox

import "strings"

// hostileServers answer otherwise than a good server.
var hostileServers = map[string]struct {
	answer func(c *hostConn, tag, line string) bool
	want   []string // messages, or none when Fetch fails
	held   string   // a word of the error
}{
	"the UID stands behind the literal": {
		answer: func(c *hostConn, tag, line string) bool {
			if !asksHeaders(line) {
				return false
			}
			for i, m := range c.open.mails {
				if strings.HasPrefix(line, "UID") || inSet(strings.Fields(line)[1], uint32(i+1), 9) {
					c.send("* %d FETCH (BODY[HEADER] {%d}\r\n%s UID %d)\r\n", i+1, len(m.raw), m.raw, m.uid)
				}
			}
			c.send("%s OK done\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"one message's header ends the connection, its text does not": {
		answer: func(c *hostConn, tag, line string) bool {
			if !asksHeaders(line) || !mentions(line, 1) {
				return false
			}
			c.send("* 1 FETCH (UID 1 BODY[HEADER.FIELDS ((] oh)\r\n%s OK done\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"one message ends the connection in every form": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "FETCH") || !mentions(line, 1) {
				return false
			}
			c.send("* 1 FETCH (UID 1 NONSENSE \"\"\"\")\r\n%s OK done\r\n", tag)
			return true
		},
		want: []string{"unsure 1 of INBOX", "b@x"},
	},
	"a literal of 99 GB": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "FETCH") || !mentions(line, 2) {
				return false
			}
			c.send("* 2 FETCH (UID 2 BODY[HEADER.FIELDS (From)] {99000000000}\r\n")
			return true
		},
		want: []string{"a@x", "unsure 2 of INBOX"},
	},
	"a message that is listed and never shown": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "FETCH") {
				return false
			}
			if mentions(line, 2) {
				c.send("* 2 FETCH (UID 2%s)\r\n", section(line, c.open.mails[1].raw))
			}
			c.send("%s OK done\r\n", tag)
			return true
		},
		want: []string{"unsure 1 of INBOX", "b@x"},
	},
	"a NIL header": {
		answer: func(c *hostConn, tag, line string) bool {
			if !asksHeaders(line) {
				return false
			}
			c.send("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (From)] NIL)\r\n* 2 FETCH (UID 2 BODY[HEADER.FIELDS (From)] NIL)\r\n%s OK done\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"news of a flag comes in place of the message": {
		answer: func(c *hostConn, tag, line string) bool {
			if asksHeaders(line) && strings.HasPrefix(line, "UID") {
				c.send("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n")
			}
			return false
		},
		want: []string{"a@x", "b@x"},
	},
	"flags that are none, and extensions nobody asked for": {
		answer: func(c *hostConn, tag, line string) bool {
			c.send("* FLAGS (\\Seen a]b)\r\n* OK [PERMANENTFLAGS (]] \\*)] ok\r\n* VANISHED 1:7\r\n* XLIST (\\Inbox) \"/\" \"INBOX\"\r\n* X-NEWS {6}\r\n* BYE  (what)\r\n")
			return false
		},
		want: []string{"a@x", "b@x"},
	},
	"BYE, then OK, in place of the search": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			c.send("* BYE see you\r\n%s OK done\r\n", tag)
			return true
		},
		held: "see you",
	},
	"BYE, then OK, in place of the messages": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID FETCH") {
				return false
			}
			c.send("* BYE see you\r\n%s OK done\r\n", tag)
			return true
		},
		held: "see you",
	},
	"BYE, then OK, in place of the folders": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "LIST") {
				return false
			}
			c.send("* BYE see you\r\n%s OK done\r\n", tag)
			return true
		},
		held: "see you",
	},
	"the connection ends in the middle of a message": {
		answer: func(c *hostConn, tag, line string) bool {
			if !asksHeaders(line) {
				return false
			}
			c.send("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (From)] {500}\r\nFrom: ann")
			c.conn.Close()
			return true
		},
		held: "connection to the mail server was lost",
	},
	"silence in place of the messages": {
		answer: func(c *hostConn, tag, line string) bool { return asksHeaders(line) },
		held:   "did not answer in time",
	},
	"LIST names a folder and not its numbers": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "LIST") {
				return false
			}
			c.send("* LIST () \"/\" INBOX\r\n* LIST () \"/\" Junk\r\n* STATUS INBOX (UIDNEXT 3 UIDVALIDITY 7)\r\n%s OK done\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"LIST refuses what the server offered": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "LIST") || !strings.Contains(line, "RETURN") {
				return false
			}
			c.send("%s BAD what\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"LIST leaves out INBOX": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "LIST") {
				return false
			}
			c.send("%s OK nothing\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"UIDVALIDITY is named nowhere": {
		answer: func(c *hostConn, tag, line string) bool {
			switch {
			case strings.HasPrefix(line, "LIST"):
				c.send("* LIST () \"/\" INBOX\r\n* STATUS INBOX (UIDNEXT 3)\r\n%s OK done\r\n", tag)
			case strings.HasPrefix(line, "EXAMINE"):
				c.open = c.host.folder("INBOX", "")
				c.send("* 2 EXISTS\r\n%s OK done\r\n", tag)
			default:
				return false
			}
			return true
		},
		want: []string{"a@x", "b@x"},
	},
	"a UIDNEXT in STATUS that the open folder does not know yet": {
		answer: func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "LIST") {
				return false
			}
			c.send("* LIST () \"/\" INBOX\r\n* STATUS INBOX (UIDNEXT 50 UIDVALIDITY 7)\r\n%s OK done\r\n", tag)
			return true
		},
		want: []string{"a@x", "b@x"},
	},
}

func asksHeaders(line string) bool { return strings.Contains(line, "HEADER.FIELDS") }
