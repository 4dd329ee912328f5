package sequences

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/ar"
	austria "github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/mw"
	"github.com/rickar/cal/v2/nc"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// countries are the public holidays that are known, by country, or by country
// and region where the regions differ.
var countries = map[string][]*cal.Holiday{
	"ar":     ar.Holidays,
	"at":     austria.Holidays,
	"be":     be.Holidays,
	"bg":     bg.Holidays,
	"br":     br.Holidays,
	"ca":     ca.Holidays,
	"ch":     ch.Holidays,
	"cz":     cz.Holidays,
	"de":     de.Holidays,
	"dk":     dk.Holidays,
	"es":     es.Holidays,
	"fr":     fr.Holidays,
	"gb":     gb.Holidays,
	"gr":     gr.Holidays,
	"hr":     hr.Holidays,
	"ie":     ie.Holidays,
	"it":     it.Holidays,
	"jp":     jp.Holidays,
	"lt":     lt.Holidays,
	"lv":     lv.Holidays,
	"mw":     mw.Holidays,
	"nc":     nc.Holidays,
	"nl":     nl.Holidays,
	"no":     no.Holidays,
	"nz":     nz.Holidays,
	"pl":     pl.Holidays,
	"ro":     ro.Holidays,
	"ru":     ru.Holidays,
	"se":     se.Holidays,
	"si":     si.Holidays,
	"sk":     sk.Holidays,
	"ua":     ua.Holidays,
	"us":     us.Holidays,
	"za":     za.Holidays,
	"au-act": au.HolidaysACT,
	"au-nsw": au.HolidaysNSW,
	"au-nt":  au.HolidaysNT,
	"au-qld": au.HolidaysQLD,
	"au-sa":  au.HolidaysSA,
	"au-tas": au.HolidaysTAS,
	"au-vic": au.HolidaysVIC,
	"au-wa":  au.HolidaysWA,
	"ch-ag":  ch.HolidaysAG,
	"ch-ai":  ch.HolidaysAI,
	"ch-ar":  ch.HolidaysAR,
	"ch-be":  ch.HolidaysBE,
	"ch-bl":  ch.HolidaysBL,
	"ch-bs":  ch.HolidaysBS,
	"ch-fr":  ch.HolidaysFR,
	"ch-ge":  ch.HolidaysGE,
	"ch-gl":  ch.HolidaysGL,
	"ch-gr":  ch.HolidaysGR,
	"ch-ju":  ch.HolidaysJU,
	"ch-lu":  ch.HolidaysLU,
	"ch-ne":  ch.HolidaysNE,
	"ch-nw":  ch.HolidaysNW,
	"ch-ow":  ch.HolidaysOW,
	"ch-sg":  ch.HolidaysSG,
	"ch-sh":  ch.HolidaysSH,
	"ch-so":  ch.HolidaysSO,
	"ch-sz":  ch.HolidaysSZ,
	"ch-tg":  ch.HolidaysTG,
	"ch-ti":  ch.HolidaysTI,
	"ch-ur":  ch.HolidaysUR,
	"ch-vd":  ch.HolidaysVD,
	"ch-vs":  ch.HolidaysVS,
	"ch-zg":  ch.HolidaysZG,
	"ch-zh":  ch.HolidaysZH,
	"de-bb":  de.HolidaysBB,
	"de-be":  de.HolidaysBE,
	"de-bw":  de.HolidaysBW,
	"de-by":  de.HolidaysBY,
	"de-hb":  de.HolidaysHB,
	"de-he":  de.HolidaysHE,
	"de-hh":  de.HolidaysHH,
	"de-mv":  de.HolidaysMV,
	"de-ni":  de.HolidaysNI,
	"de-nw":  de.HolidaysNW,
	"de-rp":  de.HolidaysRP,
	"de-sh":  de.HolidaysSH,
	"de-sl":  de.HolidaysSL,
	"de-sn":  de.HolidaysSN,
	"de-st":  de.HolidaysST,
	"de-th":  de.HolidaysTH,
}

// country finds the public holidays of a country by its code, such as se or
// de-by.
func country(code string) (Holidays, bool) {
	days, known := countries[code]
	if !known {
		return nil, false
	}
	return &public{days: days}, true
}

// otherNames are codes that people write for countries that have another.
var otherNames = map[string]string{"uk": "gb", "en": "gb", "el": "gr", "sw": "se", "da": "dk", "cs": "cz", "ja": "jp", "uc": "ua"}

// unknownCountry says which holidays there are.
func unknownCountry(entry string) error {
	code := strings.ToLower(entry)
	land, _, regional := strings.Cut(code, "-")
	var codes, regions []string
	for _, known := range slices.Sorted(maps.Keys(countries)) {
		switch name, _, split := strings.Cut(known, "-"); {
		case !split:
			codes = append(codes, known)
		case name == land:
			regions = append(regions, known)
		}
	}
	if len(regions) > 0 {
		near := ""
		if regional {
			near = Nearest(code, regions)
		}
		return wrong("no holidays are known for %q; its regions are %s", entry, strings.Join(regions, ", ")).meant(near)
	}
	return wrong("no holidays are known for country %q; list their dates, name an .ics file, or one of %s, au-nsw, de-by, ch-zh …",
		entry, strings.Join(codes, ", ")).meant(otherNames[land])
}

// public are the public holidays of one country. The library computes them
// anew for each day that is asked for; here once for each year.
type public struct {
	days  []*cal.Holiday
	years sync.Map // int → map[day]string
}

// computing is held while the library computes: some of its countries remember
// what they found, without a lock.
var computing sync.Mutex

// Name implements Holidays. A holiday that is observed on another day makes
// both of them one.
func (p *public) Name(date time.Time) (string, bool) {
	d := dayOf(date)
	known, ok := p.years.Load(d.year)
	if !ok {
		known, _ = p.years.LoadOrStore(d.year, p.yearOf(d.year))
	}
	name, off := known.(map[day]string)[d]
	return name, off
}

// yearOf lists a year's holidays. Those of its neighbours may be observed in
// it: New Year's Day on a Saturday is a Friday's holiday in the year before.
func (p *public) yearOf(year int) map[day]string {
	computing.Lock()
	defer computing.Unlock()
	names := map[day]string{}
	for _, h := range p.days {
		for y := year - 1; y <= year+1; y++ {
			actual, observed := h.Calc(y)
			for _, t := range []time.Time{observed, actual} {
				if d := dayOf(t); !t.IsZero() && d.year == year {
					names[d] = h.Name
				}
			}
		}
	}
	return names
}
