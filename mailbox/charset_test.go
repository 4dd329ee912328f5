package mailbox

import "testing"

// Every name must decode the bytes of one text; which charset it stands for is
// seen by the letters.
func TestCharsetNames(t *testing.T) {
	for _, tt := range []struct {
		names []string
		bytes string
		want  string
	}{
		{[]string{"iso-8859-1", "latin1", "latin-1", "ISO8859-1", "windows-1252", "cp1252", "win-1252", "windows1252", "iso_8859-1", `"iso-8859-1"`, "ansi", "iso-8859-1; format=flowed"}, "\xe4", "ä"},
		{[]string{"iso-8859-2", "latin2", "windows-1250", "cp1250"}, "\xec", "ě"},
		{[]string{"windows-1251", "cp1251", "cp-1251", "win1251", "win-1251"}, "\xff", "я"},
		{[]string{"koi8-r", "koi8r", "KOI8-R", "koi8-u"}, "\xd1", "я"},
		{[]string{"iso-8859-7", "windows-1253"}, "\xe1", "α"},
		{[]string{"iso-8859-8", "iso-8859-8-i", "windows-1255"}, "\xe0", "א"},
		{[]string{"iso-8859-9", "windows-1254"}, "\xfe", "ş"},
		{[]string{"windows-1256"}, "\xc7", "ا"},
		{[]string{"ibm850", "cp850"}, "\x84", "ä"},
		{[]string{"ibm437", "cp437"}, "\x84", "ä"},
		{[]string{"macintosh", "x-mac-roman"}, "\x8a", "ä"},
		{[]string{"tis-620", "windows-874", "tis620"}, "\xa1", "ก"},
		{[]string{"shift_jis", "shift-jis", "sjis", "cp932", "ms932", "windows-31j", "x-sjis"}, "\x82\xa0", "あ"},
		{[]string{"euc-jp"}, "\xa4\xa2", "あ"},
		{[]string{"iso-2022-jp"}, "\x1b$B$\"\x1b(B", "あ"},
		{[]string{"gb2312", "gbk", "gb18030", "cp936", "x-gbk", "gb_2312-80"}, "\xc4\xe3", "你"},
		{[]string{"hz-gb-2312"}, "~{Dc~}", "你"},
		{[]string{"big5", "big5-hkscs", "cp950"}, "\xa7\x41", "你"},
		{[]string{"euc-kr", "ks_c_5601-1987", "cp949", "uhc"}, "\xb0\xa1", "가"},
		{[]string{"utf-16le"}, "\xe4\x00", "ä"},
		{[]string{"utf-16be"}, "\x00\xe4", "ä"},
		{[]string{"utf-16", "unicode"}, "\xff\xfe\xe4\x00", "ä"},
		{[]string{"utf-32le"}, "\xe4\x00\x00\x00", "ä"},
		{[]string{"utf-8", "utf8", "UTF-8", "utf-8-mac", "us-ascii", "x-unknown", "", "iso-2022-kr-nobody", "no such"}, "\xc3\xa4", "ä"},
	} {
		for _, name := range tt.names {
			if got := decodeCharset([]byte(tt.bytes), name); got != tt.want {
				t.Errorf("%s: %q gives %q, want %q", name, tt.bytes, got, tt.want)
			}
		}
	}
}
