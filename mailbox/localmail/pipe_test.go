package localmail

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

func TestPipeBehavesLikeAConnection(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = newPipe(memAddr(0), memAddr(portIMAPS))
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

func TestPipeHoldsWhatWasWrittenBeforeTheClose(t *testing.T) {
	c, s := newPipe(memAddr(0), memAddr(portIMAPS))
	if _, err := c.Write([]byte("QUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, []byte("QUIT\r\n")) {
		t.Fatalf("read %q, %v; want the line that was written before the close", got, err)
	}
	if _, err := s.Write([]byte("221\r\n")); err != nil {
		t.Errorf("the first write to a closed end: %v; TCP takes it", err)
	}
	if _, err := s.Write([]byte("221\r\n")); err == nil {
		t.Error("the second write to a closed end succeeded")
	}
}

func TestPipeDeadlineUnderSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newPipe(memAddr(0), memAddr(portIMAPS))
		defer c.Close()
		defer s.Close()
		start := time.Now()
		c.SetReadDeadline(start.Add(time.Minute))
		_, err := c.Read(make([]byte, 1))
		if ne, ok := err.(net.Error); !ok || !ne.Timeout() {
			t.Fatalf("read ended with %v, want a timeout", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("the read gave up after %v, want 1m", took)
		}
	})
}
