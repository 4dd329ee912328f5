package engine

// freeMailDomains are providers where neighbours on a domain are strangers:
// nothing about one address says anything about another.
var freeMailDomains = map[string]bool{
	"gmail.com": true, "googlemail.com": true,
	"outlook.com": true, "hotmail.com": true, "live.com": true, "msn.com": true,
	"hotmail.co.uk": true, "hotmail.de": true, "hotmail.fr": true, "hotmail.it": true, "hotmail.es": true, "hotmail.se": true,
	"live.de": true, "live.fr": true, "live.nl": true, "live.se": true, "live.co.uk": true, "outlook.de": true, "outlook.fr": true,
	"yahoo.com": true, "yahoo.co.uk": true, "yahoo.de": true, "yahoo.fr": true, "yahoo.it": true, "yahoo.es": true,
	"yahoo.co.jp": true, "yahoo.com.br": true, "ymail.com": true, "rocketmail.com": true,
	"icloud.com": true, "me.com": true, "mac.com": true, "aol.com": true, "aim.com": true,
	"gmx.de": true, "gmx.net": true, "gmx.at": true, "gmx.ch": true, "gmx.com": true, "web.de": true, "t-online.de": true,
	"freenet.de": true, "arcor.de": true, "posteo.de": true, "mailbox.org": true,
	"orange.fr": true, "wanadoo.fr": true, "free.fr": true, "laposte.net": true, "sfr.fr": true,
	"libero.it": true, "virgilio.it": true, "tiscali.it": true, "alice.it": true,
	"telia.com": true, "bredband.net": true, "spray.se": true, "online.no": true, "tdcadsl.dk": true,
	"ziggo.nl": true, "kpnmail.nl": true, "planet.nl": true, "xs4all.nl": true, "telenet.be": true, "skynet.be": true,
	"bluewin.ch": true, "btinternet.com": true, "sky.com": true, "virginmedia.com": true, "ntlworld.com": true,
	"comcast.net": true, "verizon.net": true, "att.net": true, "sbcglobal.net": true, "cox.net": true, "bellsouth.net": true,
	"mail.ru": true, "yandex.ru": true, "yandex.com": true, "rambler.ru": true, "ukr.net": true,
	"wp.pl": true, "o2.pl": true, "onet.pl": true, "interia.pl": true, "seznam.cz": true, "centrum.cz": true,
	"qq.com": true, "163.com": true, "126.com": true, "sina.com": true, "naver.com": true, "daum.net": true, "hanmail.net": true,
	"uol.com.br": true, "bol.com.br": true, "terra.com.br": true, "rediffmail.com": true,
	"proton.me": true, "protonmail.com": true, "pm.me": true, "tutanota.com": true, "tuta.io": true, "fastmail.com": true,
	"hey.com": true, "zoho.com": true, "mail.com": true, "hushmail.com": true,
}

// FreeMail says whether a domain belongs to a provider of free or private
// mailboxes.
func FreeMail(domain string) bool { return freeMailDomains[domain] }
