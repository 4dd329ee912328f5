// Package mailbox is the post office: one account, both directions.
package mailbox
