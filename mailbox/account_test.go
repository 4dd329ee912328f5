package mailbox

import "testing"

func TestModeFollowsThePort(t *testing.T) {
	for server, want := range map[Server]TLSMode{
		{Port: 587}: TLSStart, {Port: 143}: TLSStart, {Port: 465}: TLSImplicit, {Port: 993}: TLSImplicit, {Port: 25}: TLSImplicit,
		{Port: 587, TLS: TLSImplicit}: TLSImplicit, {Port: 993, TLS: TLSNone}: TLSNone,
	} {
		if got := server.mode(); got != want {
			t.Errorf("%v: mode %q, want %q", server, got, want)
		}
	}
}

func TestAccountWithoutAPasswordSaysSo(t *testing.T) {
	if _, err := (Account{}).password(t.Context()); err == nil {
		t.Error("a password came from nowhere")
	}
}
