package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
)

// headersOf lists the headers that a person sees of a mail, decoded.
func headersOf(raw []byte) ([][2]string, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the mail: %w", err)
	}
	var words mime.WordDecoder
	var headers [][2]string
	for _, name := range []string{"From", "To", "Subject"} {
		value := m.Header.Get(name)
		if decoded, err := words.DecodeHeader(value); err == nil {
			value = decoded
		}
		headers = append(headers, [2]string{name, value})
	}
	return headers, nil
}

// mailParts is a finished mail, taken apart.
type mailParts struct {
	text  string // plain text as a person reads it, LF line ends
	page  string // the HTML; "" = a mail of plain text alone
	files []mailFile
}

// mailFile is a file that goes with a mail.
type mailFile struct {
	name string
	size int
}

// partsOf takes a finished mail apart.
func partsOf(raw []byte) (mailParts, error) {
	var p mailParts
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err == nil {
		err = p.read(textproto.MIMEHeader(m.Header), m.Body)
	}
	if err != nil {
		return p, fmt.Errorf("read the mail: %w", err)
	}
	return p, nil
}

// read takes one part, or those inside it.
func (p *mailParts) read(header textproto.MIMEHeader, body io.Reader) error {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := p.read(part.Header, part); err != nil {
				return err
			}
		}
	}
	switch header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	disposition, named, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	words := strings.ReplaceAll(string(content), "\r\n", "\n")
	switch {
	case disposition == "attachment":
		p.files = append(p.files, mailFile{named["filename"], len(content)})
	case media == "text/html":
		p.page = words
	default:
		p.text = words
		if params["format"] == "flowed" { // a space in front protects spaces (RFC 3676, section 4.4)
			p.text = strings.ReplaceAll("\n"+words, "\n ", "\n")[1:]
		}
	}
	return nil
}

// printable is text of several lines, safe to show, with a line end.
func printable(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		end := ""
		if strings.HasSuffix(line, "\n") {
			end = "\n"
		}
		lines[i] = strings.TrimRight(visible(strings.TrimSuffix(line, "\n")), " ") + end
	}
	return strings.TrimRight(strings.Join(lines, ""), "\n") + "\n"
}
