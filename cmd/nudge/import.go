package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/engine/intake"
)

func (a *app) importCommand() *cobra.Command {
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "import SEQUENCE FILE.csv",
		Short: "follow up with many, from a CSV file",
		Long: `Put everybody in a CSV file into a sequence: all of them, or none when a row is rejected. The first line names the
columns: email, which must be there, name, and any field. People who are enrolled already get their fields updated.
A FILE of - is standard input.`,
		Example:           "  nudge import quote prospects.csv --dry-run\n  nudge import quote prospects.csv --json",
		Args:              need(2, 2),
		ValidArgsFunction: a.completeSequence,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, rejected, err := a.readProspects(args[1])
			if _, unopened := errors.AsType[*fs.PathError](err); unopened {
				return fileTrouble(args[1], err, "name a CSV file, or - for standard input")
			} else if err != nil {
				return &trouble{code: exitFailed, what: fmt.Sprintf("%s: %v", args[1], err), hint: "nothing was imported; mend the file and import it again"}
			}
			return a.ask(func(op engine.Operator, s settings) error {
				name := s.sequenceName(args[0])
				result, err := importRows(cmd.Context(), op, engine.ImportRequest{Sequence: name, Rows: rows, DryRun: dryRun}, rejected)
				if err != nil {
					return s.suggestSequence(err, name)
				}
				args[0] = name
				return a.tellImport(args, result, dryRun, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would happen")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) readProspects(path string) ([]engine.ImportRow, []engine.RejectedRow, error) {
	in := a.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	return intake.ReadCSV(io.Reader(in))
}

// importRows imports, or, when the file already has rejected rows, asks only
// what else is wrong, so that all of it is told at once.
func importRows(ctx context.Context, op engine.Operator, req engine.ImportRequest, rejected []engine.RejectedRow) (engine.ImportResult, error) {
	asked := req.DryRun
	if len(rejected) > 0 {
		req.DryRun = true
	}
	result, err := op.Import(ctx, req)
	if err != nil {
		return result, err
	}
	result.Rejected = append(rejected, result.Rejected...)
	slices.SortStableFunc(result.Rejected, func(a, b engine.RejectedRow) int { return cmp.Compare(a.Row, b.Row) })
	if result.Rejected == nil {
		result.Rejected = []engine.RejectedRow{}
	}
	if len(result.Rejected) > 0 && !asked {
		result.Enrolled, result.Updated, result.Skipped, result.Left = 0, 0, 0, []engine.LeftRow{}
	}
	return result, nil
}

// leftShown is how many rows are named for which nobody is enrolled.
const leftShown = 20

func (a *app) tellImport(args []string, r engine.ImportResult, dryRun, asJSON bool) error {
	if asJSON {
		if err := a.writeJSON(r); err != nil {
			return err
		}
	} else {
		for _, row := range r.Rejected {
			column := ""
			if row.Column != "" {
				column = row.Column + ": "
			}
			a.printf("%s:%d: %s\n", visible(args[1]), row.Row, visible(column+row.Reason))
		}
		for _, row := range r.Left[:min(len(r.Left), leftShown)] {
			a.tell(fmt.Sprintf("%s:%d: %s %s", args[1], row.Row, row.Address, row.Reason))
		}
		if n := len(r.Left) - leftShown; n > 0 {
			a.printf("and %s more for whom nobody is enrolled; --json names them\n", count(n, "row"))
		}
	}
	if n := len(r.Rejected); n > 0 {
		return &trouble{code: exitFailed, what: fmt.Sprintf("nothing was imported: %s rejected", count(n, "row")),
			hint: "mend what is named above and import the file again"}
	}
	if asJSON {
		return nil
	}
	if r.Enrolled+r.Updated+r.Skipped == 0 {
		a.printf("%s names its columns, and nobody below them\n", visible(args[1]))
		return nil
	}
	if dryRun {
		a.printf("would enroll %d, update %d, skip %d in %s\n", r.Enrolled, r.Updated, r.Skipped, visible(args[0]))
		a.next("nudge import %s %s", args[0], args[1])
		return nil
	}
	a.printf("enrolled %d, updated %d, skipped %d in %s\n", r.Enrolled, r.Updated, r.Skipped, visible(args[0]))
	a.next("nudge list --sequence %s", args[0])
	return nil
}
