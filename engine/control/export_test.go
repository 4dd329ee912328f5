package control

import "time"

// SetPatience shortens how long a client waits, for tests.
func (c *Client) SetPatience(d time.Duration) { c.patience = d }

// DialError is what Dial says of an error of package net.
var DialError = dialError
