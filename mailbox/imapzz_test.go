package mailbox
import ("testing";"time";"nudge/engine";"nudge/mailbox/mailpair";"strings";"fmt")
type slow struct{ at time.Time; cmd string }
func TestZZ(t *testing.T) {
	p := mailpair.Start(t)
	m := dovecot(t, p)
	fetchAll(t, m, engine.Cursor{})
	fill(t, p, 20000)
	for round := range 2 {
	cursor := engine.Cursor{Since: time.Unix(1_600_000_000, 0)}
	for i := range 5 {
		zz = map[string]time.Duration{}
		b := time.Now()
		ins, next, err := m.Fetch(t.Context(), cursor)
		must(t, err)
		fmt.Println(round, i, len(ins), time.Since(b), strings.ReplaceAll(fmt.Sprint(zz),"map",""))
		next.Since, cursor = cursor.Since, next
	}}
}
