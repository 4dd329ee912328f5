package bolt

import (
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/net/publicsuffix"

	"nudge/engine"
)

// Company is the registrable domain of an address key, by the public suffix
// list; "" for free-mail providers, where neighbours are strangers.
func Company(key string) string {
	domain := engine.AddressDomain(key)
	company, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || engine.FreeMail(domain) || engine.FreeMail(company) {
		return ""
	}
	return company
}

// kinEntries are the index lines by which those who have not ended are found by
// their company and their deal. The company is the one they were enrolled with:
// the list of public suffixes changes.
func kinEntries(en engine.Enrollment) []entry {
	if en.Ended() {
		return nil
	}
	var es []entry
	if en.Company != "" {
		es = append(es, entry{bucketKin, append(companyKey(en.Company), en.ID...), nil})
	}
	if deal := dealOf(en); deal != "" {
		es = append(es, entry{bucketKin, append(dealKey(deal), en.ID...), nil})
	}
	return es
}

func dealOf(en engine.Enrollment) string { return strings.TrimSpace(en.Fields[engine.DealField]) }

func companyKey(company string) []byte { return name("company", company) }

func dealKey(deal string) []byte {
	return name("deal", strings.ReplaceAll(foreign(strings.TrimSpace(deal)), "\x00", " "))
}

// Related implements engine.StoreReader.
func (s *Store) Related(addressKeys, deals []string) (engine.Kin, error) {
	kin := engine.Kin{Company: map[string]string{}}
	err := s.read(func(tx *bbolt.Tx) error {
		var prefixes [][]byte
		for _, key := range addressKeys {
			if company := Company(key); company != "" && !strings.Contains(company, "\x00") {
				kin.Company[key] = company
				prefixes = append(prefixes, companyKey(company))
			}
		}
		for _, deal := range deals {
			if strings.TrimSpace(deal) != "" {
				prefixes = append(prefixes, dealKey(deal))
			}
		}
		var ids []string
		for _, prefix := range prefixes {
			ids = append(ids, idsUnder(tx, bucketKin, prefix)...)
		}
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			en, err := must(tx, id)
			if err != nil {
				return err
			}
			kin.Enrollments = append(kin.Enrollments, en)
		}
		return nil
	})
	return kin, err
}

// alias is where it was seen that an address answered for a person.
type alias struct {
	Incoming string    `json:"incoming"`
	At       time.Time `json:"at"`
}

// learnAlias remembers who answered for a person.
func (w *write) learnAlias(f engine.Effect, person string) error {
	if !w.teaches(f, person) {
		return nil
	}
	return w.putValue(bucketAliases, aliasKey(f.Alias, person), alias{f.Incoming, f.Event.At})
}

// teaches says whether an effect names somebody who answered for a person and of
// whom that was not known.
func (w *write) teaches(f engine.Effect, person string) bool {
	if f.Alias == "" || f.Alias == person || strings.Contains(f.Alias, "\x00") || len(f.Alias) > 1024 {
		return false
	}
	return w.tx.Bucket(bucketAliases).Get(aliasKey(f.Alias, person)) == nil
}

func aliasKey(address, person string) []byte { return append(name(address), person...) }

// addAliases adds the people for whom some addresses answered, and their
// enrollments.
func addAliases(tx *bbolt.Tx, known *engine.Known, addressKeys []string) error {
	for _, key := range addressKeys {
		if key == "" || strings.Contains(key, "\x00") {
			continue
		}
		for _, person := range idsUnder(tx, bucketAliases, name(key)) {
			ens, err := ofPerson(tx, person)
			if err != nil {
				return err
			}
			if len(ens) == 0 {
				continue
			}
			if known.Aliases == nil {
				known.Aliases = map[string][]string{}
			}
			known.Aliases[key] = append(known.Aliases[key], person)
			known.ByAddress[person] = ens
		}
	}
	return nil
}
