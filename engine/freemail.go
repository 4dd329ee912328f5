package engine

import "strings"

// freeMailDomains are providers where neighbours on a domain are strangers:
// nothing about one address says anything about another. They are mail services
// that anybody can sign up to, and the private mailboxes of internet providers.
var freeMailDomains = func() map[string]bool {
	domains := map[string]bool{}
	for domain := range strings.FieldsSeq(freeMailList) {
		domains[domain] = true
	}
	return domains
}()

// freeMailList is sorted.
const freeMailList = `
012.net.il 013.net 126.com 139.com 163.com 188.com 189.cn 21cn.com 263.net 9online.fr a1.net absamail.co.za abv.bg
actrix.co.nz adam.com.au adinet.com.uy aim.com airtelmail.in algonet.se alice.it aliceadsl.fr aliceposta.it aliyun.com
altibox.no ameritech.net amis.net amorki.pl anonaddy.me aol.at aol.co.uk aol.com aol.de aol.es aol.fr aol.it aol.jp
aol.pl aol.se aon.at apollo.lv arcor.de arnet.com.ar asahi-net.or.jp atlas.cz atlas.sk att.net au.com autograf.pl
autorambler.ru azet.sk bahnhof.se barak.net.il batelco.com.bh bbox.fr belgacom.net bell.net bellaliant.net
bellsouth.net bezeqint.net biglobe.ne.jp bigmir.net bigpond.com bigpond.com.au bigpond.net.au biznetvigator.com bk.ru
blu.it bluemail.ch bluewin.ch blueyonder.co.uk bol.com.br bredband.net bredbandsbolaget.se broadpark.no brutele.be
bsnl.in btconnect.com btinternet.com btopenworld.com buziaczek.pl c2i.net cableone.net caiway.nl cantv.net
caramail.com caramail.fr casema.nl cegetel.net centrum.cz centrum.sk centurylink.net centurytel.net charter.net
chello.at chello.hu chello.nl chol.com citromail.hu citycable.ch ciudad.com.ar clear.net.nz clicknet.ro clix.pt
club-internet.fr cock.li cogeco.ca comcast.net comhem.se consultant.com countermail.com cox.net ctemplar.com
ctimail.com dartybox.com daum.net delfi.lv dion.ne.jp dir.bg directbox.com disroot.org dnainternet.net docomo.ne.jp
dodo.com.au dreamwiz.com drei.at duck.com e-mail.ua earthlink.net eastlink.ca ee.co.uk eim.ae eircom.net elisanet.fi
email.com email.cz email.de email.it email.si email.ua embarqmail.com emirates.net.ae empas.com engineer.com
entelchile.net epost.no etb.net.co eunet.rs europe.com ewe.net ewetel.net excite.co.jp excite.com eyou.com ezweb.ne.jp
fastmail.co.uk fastmail.com fastmail.fm fastmail.net fastwebnet.it fibermail.dk fibertel.com.ar flash.net forthnet.gr
foxmail.com free.fr freechal.com freeler.nl freemail.gr freemail.hu freenet.de freeserve.co.uk frisurf.no frontier.com
frontiernet.net fsmail.net gawab.com gazeta.pl get2net.dk getmail.no giga.net.tw globe.com.ph globo.com globomail.com
glocalnet.net gmail.com gmx.at gmx.biz gmx.ch gmx.co.uk gmx.com gmx.de gmx.es gmx.eu gmx.fr gmx.info gmx.it gmx.net
gmx.org gmx.us go2.pl goo.jp googlemail.com googlemail.de green.ch gvtc.com hanmail.net hanmir.com hccnet.nl hetnet.nl
hey.com hi-ho.ne.jp hinet.net hispeed.ch hkbn.net hol.gr home.nl home.ro home.se hot.ee hotbox.ru hotmail.at
hotmail.be hotmail.ca hotmail.ch hotmail.cl hotmail.co.il hotmail.co.jp hotmail.co.nz hotmail.co.th hotmail.co.uk
hotmail.co.za hotmail.com hotmail.com.ar hotmail.com.au hotmail.com.br hotmail.com.mx hotmail.com.tr hotmail.cz
hotmail.de hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu hotmail.ie hotmail.it hotmail.nl
hotmail.no hotmail.ph hotmail.pt hotmail.ro hotmail.rs hotmail.se hotmail.sg hotmail.sk htp-tel.de hughes.net hush.ai
hush.com hushmail.com hushmail.me i.softbank.jp i.ua iafrica.com ibest.com.br icloud.com ig.com.br ihug.co.nz
iinet.net.au in.com in.gr iname.com inbox.com inbox.eu inbox.lt inbox.lv inbox.ru indamail.hu indiatimes.com indigo.ie
indosat.net.id inet.fi inet.hr infinitum.com.mx infoseek.jp inode.at interia.com interia.eu interia.pl internet.is
internet.lu internet.ru internode.on.net inwind.it iol.ie iol.it iol.pt jaring.my jazztel.es jcom.home.ne.jp jubii.dk
juno.com kabelmail.de kabsi.at kakao.com katamail.com keemail.me kimo.com kolabnow.com kolumbus.fi korea.com
kpnmail.nl kpnplanet.nl lantic.net laposte.net lavabit.com lenta.ru libero.it lineone.net link.net list.ru live.at
live.be live.ca live.ch live.cl live.cn live.co.uk live.co.za live.com live.com.ar live.com.au live.com.mx live.com.pt
live.de live.dk live.fi live.fr live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se liwest.at
luukku.com lycos.co.kr lycos.com lyse.net mac.com mail.bg mail.co.uk mail.com mail.com.tr mail.de mail.dk mail.ee
mail.goo.ne.jp mail.kz mail.ru mail.tele.dk mail.telepac.pt mail.ua mailbox.hu mailbox.org mailfence.com mailo.com
mailoo.org maktoob.com mbnet.fi me.com mediacombb.net menara.ma messagingengine.com meta.ua mindspring.com
mnet-mail.de montevideo.com.uy movistar.es mozmail.com ms1.hinet.net msn.com mtnloaded.co.za mts.net mweb.co.za
mycosmos.gr mynet.com myrambler.ru myself.com myyahoo.com narod.ru nate.com naver.com nb.sympatico.ca net.hr
netcabo.pt netcologne.de netcourrier.com neti.ee netplus.ch netti.fi netvigator.com netvision.net.il netzero.com
netzero.net neuf.fr nifty.com nifty.ne.jp nm.ru noos.fr nordnet.fr ntlworld.co.uk ntlworld.com numericable.com
numericable.fr nvbell.net o2.co.uk o2.eu o2.pl o2mail.de o2online.de ocn.ne.jp ofir.dk oi.com.br one.lt one.lv onet.eu
onet.pl online.de online.ee online.nl online.no onmail.com ono.com onsbrabantnet.nl op.pl optimum.net optinet.hr
optonline.net optusnet.com.au orange.es orange.fr orange.net orcon.net.nz osnanet.de otenet.gr outlook.at outlook.be
outlook.cl outlook.co.id outlook.co.il outlook.co.nz outlook.co.th outlook.com outlook.com.ar outlook.com.au
outlook.com.br outlook.com.gr outlook.com.tr outlook.com.vn outlook.cz outlook.de outlook.dk outlook.es outlook.fr
outlook.hu outlook.ie outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.my outlook.ph outlook.pt
outlook.sa outlook.sg outlook.sk ozemail.com.au pacbell.net pacific.net.sg pandora.be paradise.net.nz paran.com
passagen.se passport.com pathfinder.gr pchome.com.tw peoplepc.com phnet.fi pisem.net plala.or.jp planet.nl plasa.com
plus.com plus.net plusnet.com pm.me pobox.sk pochta.ru poczta.fm poczta.onet.pl poczta.pl pop.com.br post.com post.cz
post.sk poste.it posteo.at posteo.ch posteo.de posteo.eu posteo.net posteo.org pp.inet.fi privat.dk
privaterelay.appleid.com prodigy.net prodigy.net.mx proton.me protonmail.ch protonmail.com proximus.be pt.lu ptd.net
ptt.rs q.com qq.com quick.cz quickline.ch quicknet.nl r7.com rakuten.jp rambler.ru rcn.com rdslink.ro rediff.com
rediffmail.com relay.firefox.com riseup.net ro.ru roadrunner.com rocketmail.com rogers.com rr.com runbox.com
safe-mail.net sapo.pt sasktel.net saunalahti.fi sbb.rs sbcglobal.net scarlet.be seed.net.tw seznam.cz sfr.fr shaw.ca
sify.com simnet.is simplelogin.com sina.cn sina.com singnet.com.sg siol.net skiff.com sky.com skynet.be
slingshot.co.nz snet.net so-net.ne.jp softbank.ne.jp sohu.com solcon.nl speedy.com.ar speedy.com.pe spoko.pl spray.net
spray.se starhub.net.sg starman.ee start.no startmail.com stofanet.dk stonline.sk streamyx.com suddenlink.net
sunrise.ch suomi24.fi supanet.com supereva.it superig.com.br superonline.com swbell.net swipnet.se swissonline.ch
sympatico.ca systemli.org t-2.net t-com.hr t-online.com t-online.de t-online.hu talk21.com talktalk.net tdc.dk
tdcadsl.dk tds.net techie.com tedata.net.eg teksavvy.com tele2.com tele2.it tele2.nl tele2.se telefonica.net
telenet.be telfort.nl telia.com telia.se telkom.net telkomsa.net telus.net terra.cl terra.com terra.com.br terra.es
tesco.net tim.it tin.it tiscali.co.uk tiscali.cz tiscali.it tlen.pl tm.net.my tom.com tpg.com.au ttmail.com turk.net
tut.by tuta.com tuta.io tutamail.com tutanota.com tutanota.de tvcablenet.be twc.com ukr.net une.net.co unity-mail.de
unitybox.de uol.com.br uolsinectis.com.ar upcmail.hu upcmail.nl upcmail.ro usa.com usa.net utanet.at uwclub.net
verizon.net versanet.de videotron.ca vip.126.com vip.163.com vip.hr vip.qq.com vip.sina.com vipmail.hu virgilio.com
virgilio.it virgin.net virginmedia.com visir.is vivodinet.gr vo.lu vodafone.co.nz vodafone.de vodafone.ie vodafone.it
vodafone.ne.jp vodafone.pt vodafonemail.de vodamail.co.za voila.fr volja.net volny.cz voo.be vp.pl vsnl.com vsnl.net
vtr.net walla.co.il walla.com wanadoo.es wanadoo.fr wavecable.com web.de webmail.co.za webspeed.dk welho.com
westnet.com.au windowslive.com windstream.net windtools.gr wo.cn wowway.com wp.pl writeme.com wxs.nl xfinity.com
xs4all.nl xtra.co.nz ya.com ya.ru yahoo.at yahoo.be yahoo.bg yahoo.ca yahoo.ch yahoo.cl yahoo.cn yahoo.co yahoo.co.id
yahoo.co.il yahoo.co.in yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za yahoo.com yahoo.com.ar
yahoo.com.au yahoo.com.br yahoo.com.cn yahoo.com.co yahoo.com.hk yahoo.com.hr yahoo.com.mx yahoo.com.my yahoo.com.pe
yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.ua yahoo.com.ve yahoo.com.vn yahoo.cz yahoo.de yahoo.dk
yahoo.ee yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.in yahoo.it yahoo.lt yahoo.lv yahoo.nl yahoo.no
yahoo.pl yahoo.pt yahoo.ro yahoo.ru yahoo.se yahoo.sk yandex.by yandex.com yandex.com.tr yandex.kz yandex.ru yandex.ua
yeah.net ymail.com ymail.ne.jp youmail.dk zahav.net.il zeelandnet.nl zen.co.uk ziggo.nl zipmail.com.br zoho.com
zohomail.com zohomail.eu zohomail.in zonmail.pt zonnet.nl zoznam.sk
`

// FreeMail says whether a domain belongs to a provider of free or private
// mailboxes.
func FreeMail(domain string) bool { return freeMailDomains[domain] }
