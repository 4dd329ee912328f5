package main

import (
	"context"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// pictured are the mails of docs/mails.md: a table, a list, numbers and a link.
var pictured = []struct {
	example string
	step    int
}{{"invoice", 1}, {"quote", 3}, {"review", 2}}

// TestScreenshots makes the pictures of docs/mails anew, with Chromium. It runs
// as make screenshots: pictures are for looking at, and no test can do that.
func TestScreenshots(t *testing.T) {
	if os.Getenv("NUDGE_SCREENSHOTS") == "" {
		t.Skip("SKIPPED: the pictures of docs/mails are made by make screenshots, which needs Chromium")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium in PATH: apt-get install chromium")
	}
	for _, p := range pictured {
		_, steps := exampleMails(t, filepath.Join(examplesDir, "sequences", p.example+".md"), exampleProspect(t, 1))
		parts, err := partsOf(steps[p.step-1].email.Raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, width := range []int{600, 360} {
			for _, scheme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-%d-%s.png", p.example, width, scheme)
				photograph(t, chromium, parts.page, width, scheme, filepath.Join("../../docs/mails", name))
			}
		}
	}
}

// photograph shows a mail in a frame of a width, as a mail program does, which
// also tells it the colours that its user prefers.
func photograph(t *testing.T, chromium, mail string, width int, scheme, file string) {
	t.Helper()
	paper := map[string]string{"light": "#ffffff", "dark": "#1c1c1e"}[scheme]
	page := fmt.Sprintf(`<!DOCTYPE html><meta charset="utf-8"><style>html,body{margin:0;background:%s}iframe{border:0;width:%dpx;height:900px;color-scheme:%s}</style><iframe srcdoc="%s"></iframe>`,
		paper, width, scheme, html.EscapeString(mail))
	dir := t.TempDir()
	source, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "shot.png")
	if err := os.WriteFile(source, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir="+dir+"/profile",
		"--window-size=700,900", "--screenshot="+shot, "file://"+source).CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
	f, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	keepPicture(t, picture, width, file)
}

// keepPicture writes what the mail covers of a picture, in few colours, so that
// it takes little room.
func keepPicture(t *testing.T, picture image.Image, width int, file string) {
	t.Helper()
	paper := picture.At(0, 0)
	bottom := 0
	for y := range picture.Bounds().Dy() {
		for x := range width {
			if picture.At(x, y) != paper {
				bottom = y
			}
		}
	}
	palette := color.Palette{paper}
	for grey := range 32 {
		palette = append(palette, color.Gray{uint8(grey * 255 / 31)})
	}
	for level := range 16 { // the blue of links, on white and on black
		a := uint8(level * 16)
		palette = append(palette, color.RGBA{a, a, 0xee, 0xff}, color.RGBA{uint8(0x9e * level / 15), uint8(0x9e * level / 15), uint8(0xff * level / 15), 0xff})
	}
	small := image.NewPaletted(image.Rect(0, 0, width, bottom+16), palette)
	draw.Draw(small, small.Bounds(), picture, image.Point{}, draw.Src)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, small); err != nil {
		t.Fatal(err)
	}
}
