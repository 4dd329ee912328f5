package engine

import "testing"

func TestCleanAddress(t *testing.T) {
	good := map[string]string{
		"anna@example.com":          "anna@example.com",
		"  Anna.Berg@Example.COM  ": "Anna.Berg@example.com",
		"per@bücher.example":        "per@xn--bcher-kva.example",
		"o'hara+x@sub.example.org":  "o'hara+x@sub.example.org",
		"jürgen@example.de":         "jürgen@example.de",
	}
	for in, want := range good {
		if got, err := CleanAddress(in); err != nil || got != want {
			t.Errorf("CleanAddress(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	bad := []string{"", "anna", "anna@", "@example.com", "anna@localhost", "a b@example.com", "anna@example.com\r\nBcc: x@y.example",
		"a@b@c.example", `"anna b"@example.com`, "anna@[127.0.0.1]", ".anna@example.com", "an..na@example.com",
		"anna@example.com.", "a@b..se", "a@.se", "anna\u202e@example.com", "anna\x00@example.com", "<anna@example.com>", "anna@exam ple.com", "\xff@example.com"}
	for _, in := range bad {
		if got, err := CleanAddress(in); err == nil {
			t.Errorf("CleanAddress(%q) = %q, want an error", in, got)
		}
	}
}

func TestAddressKeyIsEqualForOnePerson(t *testing.T) {
	same := [][2]string{
		{"Anna@Example.com", "anna@example.com"},
		{"anna+quote@example.com", "anna@example.com"},
		{"a.n.n.a@gmail.com", "anna@googlemail.com"},
		{"per@bücher.example", "PER@xn--bcher-kva.example"},
	}
	for _, pair := range same {
		if AddressKey(pair[0]) != AddressKey(pair[1]) {
			t.Errorf("%q and %q have keys %q and %q", pair[0], pair[1], AddressKey(pair[0]), AddressKey(pair[1]))
		}
	}
	differ := [][2]string{{"anna@example.com", "anna@example.org"}, {"an.na@example.com", "anna@example.com"}, {"+x@example.com", "@example.com"}}
	for _, pair := range differ {
		if AddressKey(pair[0]) == AddressKey(pair[1]) {
			t.Errorf("%q and %q have the same key", pair[0], pair[1])
		}
	}
}

func FuzzCleanAddress(f *testing.F) {
	for _, s := range []string{"anna@example.com", "per@bücher.example", "a@b\r\n.c", "x+y@gmail.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, err := CleanAddress(s)
		AddressKey(s)
		if err != nil {
			return
		}
		for _, r := range clean {
			if r <= ' ' || r == 0x7f || r == '<' || r == '>' {
				t.Fatalf("CleanAddress(%q) let %q through", s, r)
			}
		}
		if again, err := CleanAddress(clean); err != nil || again != clean {
			t.Fatalf("CleanAddress is not stable: %q, then %q, %v", clean, again, err)
		}
	})
}
