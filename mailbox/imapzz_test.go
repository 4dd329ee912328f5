package mailbox
import ("testing";"time";"nudge/engine";"nudge/mailbox/mailpair";"fmt";"os/exec";"bytes";"syscall";"os")
func TestZZ(t *testing.T) {
	p := mailpair.Start(t)
	m := dovecot(t, p)
	fetchAll(t, m, engine.Cursor{})
	fill(t, p, 20000)
	_, c1 := fetchAll(t, m, engine.Cursor{})
	q := func(s string) { for range 3 { zz = map[string]time.Duration{}; b := time.Now(); _, _, err := m.Fetch(t.Context(), c1); must(t, err); fmt.Println(s, time.Since(b), zz) } }
	q("quiet")
	pids, _ := exec.Command("sh", "-c", "ls -d /proc/[0-9]*/ | while read d; do if [ \"$(cat $d/comm 2>/dev/null)\" = imap ] && grep -q . $d/io; then basename $d; fi; done").Output()
	last := bytes.Fields(pids)[len(bytes.Fields(pids))-1]
	cmd := exec.Command("strace", "-f", "-r", "-o", "/tmp/imapov/strace.txt", "-p", string(last))
	cmd.Start()
	time.Sleep(time.Second)
	q("traced")
	cmd.Process.Signal(syscall.SIGINT); cmd.Wait()
	_ = os.Getpid
}
