package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
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

// partsOf takes the plain text and the HTML out of a finished mail.
func partsOf(raw []byte) (text, page string, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", "", fmt.Errorf("read the mail: %w", err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", "", fmt.Errorf("read the mail: %w", err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return text, page, nil
		} else if err != nil {
			return "", "", fmt.Errorf("read the mail: %w", err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return "", "", fmt.Errorf("read the mail: %w", err)
		}
		s := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			page = s
		} else {
			text = s
		}
	}
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
