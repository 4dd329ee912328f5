package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/mailbox"
)

type replayFlags struct {
	addresses, sequences, own []string
	mailbox                   string
	asJSON                    bool
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay MBOX|DIR|FOLDER",
		Short: "see what past mail would have stopped",
		Long: `Run the rules over mail of the past and tell, before anything is sent, which mails would have stopped or held a
sequence, and by which rule. MBOX is an mbox file or a single mail, DIR a folder of .eml files or a Maildir, FOLDER a folder
of the mailbox in nudge.toml, which is only read.

The people are those given with --address, else those who are enrolled, with --sequence only in these. Each is taken to have
been followed up with before all of that mail.`,
		Example: "  nudge replay old.mbox --address anna@example.com\n  nudge replay INBOX --sequence quote --json",
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.replay(cmd.Context(), args[0], f)
		},
	}
	cmd.Flags().StringArrayVar(&f.addresses, "address", nil, "look for the answers of this `ADDRESS`; may be given again")
	cmd.Flags().StringArrayVar(&f.sequences, "sequence", nil, "only the people of this `SEQUENCE`; may be given again")
	cmd.Flags().StringArrayVar(&f.own, "own", nil, "`ADDRESS` of yours, where no nudge.toml says it; may be given again")
	cmd.Flags().StringVar(&f.mailbox, "mailbox", "", "read FOLDER in this `MAILBOX`")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("sequence", a.completeFlag) // the flag exists: see above
	return cmd
}

// replayAnswer is what nudge replay --json prints.
type replayAnswer struct {
	Mails      []replayed   `json:"mails"`
	Unreadable []unreadable `json:"unreadable"`
	Read       int          `json:"read"`
	Own        int          `json:"own"` // of them, written by the owner
	People     int          `json:"people"`
	Stopped    int          `json:"stopped"` // people who would be stopped in the end
	Held       int          `json:"held"`
}

// unreadable is a mail that could not be read.
type unreadable struct {
	Place string `json:"place"`
	Error string `json:"error"`
}

// fileOfMails says whether a source can only be a file: folders of a mailbox
// are not called so.
var fileOfMails = regexp.MustCompile(`(?i)^[./~]|\.(mbox|mbx|eml|emlx|txt|zip|gz)$`)

func (a *app) replay(ctx context.Context, source string, f replayFlags) error {
	_, there := os.Stat(source)
	s, err := a.settings()
	if errors.Is(there, fs.ErrNotExist) && (fileOfMails.MatchString(source) || errors.Is(err, errNoConfig)) {
		return fileTrouble(source, there, "name an mbox file, a folder of mails, or with a nudge.toml a folder of the mailbox")
	}
	if err != nil {
		if len(f.addresses) == 0 || there != nil || a.configFile != "" {
			return err // the people, or the mail, are only known by it
		}
		s = settings{}
	}
	r, err := a.replayer(ctx, s, f)
	if err != nil {
		return err
	}
	var answer replayAnswer
	mails, err := a.pastMails(ctx, s, source, f.mailbox, r, &answer)
	if err != nil {
		return err
	}
	answer.Mails, answer.Own = r.run(mails)
	answer.Read, answer.People = len(mails), len(r.known.ByAddress)
	answer.Stopped, answer.Held = r.ended()
	if f.asJSON {
		if err := a.writeJSON(answer.complete()); err != nil {
			return err
		}
	} else {
		a.tellReplay(answer)
	}
	if n := len(answer.Unreadable); n > 0 {
		return &trouble{code: exitFailed, what: fmt.Sprintf("%s could not be read", count(n, "mail")), hint: "they are named above; look at them by hand"}
	}
	return nil
}

// replayer imagines the people whose answers are looked for.
func (a *app) replayer(ctx context.Context, s settings, f replayFlags) (*replayer, error) {
	r := &replayer{loc: time.Local, own: map[string]bool{},
		known: engine.Known{ByID: map[string]string{}, ByAddress: map[string][]engine.Enrollment{}, ByEnrollment: map[string]engine.Enrollment{}}}
	for _, m := range s.mailboxes {
		r.loc, r.policy = s.mailboxes[0].engine.Location, s.mailboxes[0].engine.Replies
		for _, address := range append([]string{m.engine.Address}, m.engine.Aliases...) {
			r.own[engine.AddressKey(address)] = true
		}
	}
	for _, typed := range f.own {
		address, err := engine.CleanAddress(typed)
		if err != nil {
			return nil, usage(fmt.Sprintf("--own %s: %v", typed, err), "write for example --own you@example.com")
		}
		r.own[engine.AddressKey(address)] = true
	}
	for _, typed := range f.addresses {
		address, err := engine.CleanAddress(typed)
		if err != nil {
			return nil, usage(fmt.Sprintf("--address %s: %v", typed, err), "write for example --address anna@example.com")
		}
		r.imagine(address, strings.Join(f.sequences, ", "))
	}
	if len(f.addresses) > 0 {
		return r, nil
	}
	return r, a.ask(func(op engine.Operator, s settings) error { return r.imagineEnrolled(ctx, op, s, f.sequences) })
}

// imagineEnrolled imagines those who are enrolled.
func (r *replayer) imagineEnrolled(ctx context.Context, op engine.Operator, s settings, only []string) error {
	if len(only) == 0 {
		only = []string{""}
	}
	for _, typed := range only {
		name := s.sequenceName(typed)
		views, err := op.List(ctx, engine.Filter{Sequence: name})
		if err != nil {
			return s.suggestSequence(err, name)
		}
		for _, v := range views {
			r.imagine(v.Address, v.Sequence)
		}
	}
	if len(r.known.ByAddress) == 0 {
		return &trouble{code: exitNothing, what: "nobody is enrolled whose answers could be looked for", hint: "name somebody with --address anna@example.com"}
	}
	return nil
}

// ended counts the people who would be stopped, and held, in the end.
func (r *replayer) ended() (stopped, held int) {
	for _, ens := range r.known.ByAddress {
		switch {
		case slices.ContainsFunc(ens, func(en engine.Enrollment) bool { return en.State == engine.Stopped }):
			stopped++
		case slices.ContainsFunc(ens, func(en engine.Enrollment) bool { return en.State == engine.Held }):
			held++
		}
	}
	return stopped, held
}

// pastMails reads the mail, from files or from the mailbox.
func (a *app) pastMails(ctx context.Context, s settings, source, box string, r *replayer, answer *replayAnswer) ([]pastMail, error) {
	p := &progress{app: a}
	defer p.done()
	if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) && len(s.mailboxes) > 0 {
		return a.folderMails(ctx, s, source, box, r, answer, p)
	}
	var mails []pastMail
	err := mailbox.ReadPast(ctx, source, func(in engine.Incoming, err error) error {
		place := in.Folder
		if in.UID > 1 {
			place = fmt.Sprintf("%s, mail %d", in.Folder, in.UID)
		}
		if err != nil {
			answer.Unreadable = append(answer.Unreadable, unreadable{Place: place, Error: err.Error()})
			return nil
		}
		mails = append(mails, pastMail{in, place})
		p.show(len(mails), 0)
		return nil
	})
	if _, unopened := errors.AsType[*fs.PathError](err); unopened {
		return nil, fileTrouble(source, err, "name an mbox file, a folder of mails, or a folder of the mailbox")
	}
	return mails, err
}

// folderMails reads a folder of the mailbox: all headers, and the text where
// these say that it may matter.
func (a *app) folderMails(ctx context.Context, s settings, folder, box string, r *replayer, answer *replayAnswer, p *progress) ([]pastMail, error) {
	at := slices.IndexFunc(s.mailboxes, func(m mailboxSettings) bool { return box == "" || m.engine.Name == box || m.engine.Address == box })
	if at < 0 {
		return nil, usage(fmt.Sprintf("there is no mailbox %s in %s", box, s.file), "--mailbox takes the name of a [[mailbox]]")
	}
	post := &mailbox.IMAP{Account: s.mailboxes[at].account}
	defer post.Shutdown()
	headers, err := post.Headers(ctx, folder)
	if missing, ok := errors.AsType[*mailbox.NoFolderError](err); ok {
		return nil, &trouble{code: exitNothing, what: fmt.Sprintf("there is no file or folder %s, and no folder %s in the mailbox", folder, folder) + didYouMean(folder, missing.Have),
			hint: "folders of the mailbox: " + strings.Join(missing.Have, ", ")}
	} else if err != nil {
		return nil, &trouble{code: exitFailed, what: fmt.Sprintf("there is no file or folder %s here, and the mailbox, which may have one, cannot be read: %v", folder, err),
			hint: "name an mbox file or a folder of mails; for a folder of the mailbox, try again when its server answers"}
	}
	for _, in := range headers {
		if m := (pastMail{in, ""}); r.ours(m) {
			r.learn(m) // whoever answers it is read whole below
		}
	}
	var mails []pastMail
	for i, in := range headers {
		p.show(i+1, len(headers))
		place := fmt.Sprintf("%s, uid %d", in.Folder, in.UID)
		if in.Kind == "" && (in.Report || len(r.matches(in)) > 0) {
			whole, err := post.Read(ctx, in, engine.Touched{})
			if err != nil && ctx.Err() != nil {
				return nil, err
			}
			if err != nil {
				answer.Unreadable = append(answer.Unreadable, unreadable{Place: place, Error: err.Error()})
				continue
			}
			in = whole
		}
		if strings.HasPrefix(in.Evidence, "unreadable") {
			answer.Unreadable = append(answer.Unreadable, unreadable{Place: place, Error: in.Evidence})
			continue
		}
		mails = append(mails, pastMail{in, place})
	}
	return mails, nil
}

// complete makes lists of what is empty, for other programs.
func (r replayAnswer) complete() replayAnswer {
	if r.Mails == nil {
		r.Mails = []replayed{}
	}
	if r.Unreadable == nil {
		r.Unreadable = []unreadable{}
	}
	return r
}
