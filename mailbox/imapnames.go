package mailbox

import "nudge/engine"

// folderNames says what a folder is for when the server does not: the names
// that mail programs and providers give, in lower case.
var folderNames = namesByPurpose(map[string][]string{
	string(engine.SentMail): {
		"sent", "sent items", "sent mail", "sent messages", "sent-mail", "sentmail", "sent objects",
		"gesendet", "gesendete", "gesendete objekte", "gesendete elemente", "gesendete nachrichten", "gesendete mails",
		"envoyés", "envoyé", "éléments envoyés", "messages envoyés", "objets envoyés", "courrier envoyé",
		"enviados", "enviadas", "elementos enviados", "mensajes enviados", "correo enviado", "itens enviados", "mensagens enviadas", "e-mails enviados",
		"inviati", "inviata", "posta inviata", "elementi inviati", "messaggi inviati",
		"verzonden", "verzonden items", "verzonden objecten", "verzonden berichten",
		"skickat", "skickade", "skickade objekt", "skickade meddelanden", "sendt", "sendte", "sendt post", "sendte elementer", "lähetetyt", "lähetetyt viestit",
		"wysłane", "elementy wysłane", "odeslaná pošta", "odeslané", "odoslané", "odoslaná pošta", "elküldött", "elküldött elemek", "elküldött üzenetek",
		"trimise", "elemente trimise", "poslano", "poslane stavke", "poslana pošta", "изпратени", "отправленные", "надіслані", "απεσταλμένα",
		"gönderilmiş", "gönderilenler", "gönderilmiş öğeler", "已发送", "已发送邮件", "已傳送", "寄件備份", "寄件備份匣", "送信済み", "送信済みアイテム", "送信済みメール", "보낸편지함", "보낸 편지함",
	},
	purposeDrafts: {
		"drafts", "draft", "draft mail", "entwürfe", "entwurf", "brouillons", "brouillon", "borradores", "rascunhos", "bozze", "concepten",
		"utkast", "kladder", "luonnokset", "wersje robocze", "szkice", "kopie robocze", "koncepty", "rozepsané", "piszkozatok",
		"ciorne", "nacrti", "skice", "чернови", "черновики", "чернетки", "πρόχειρα", "taslaklar", "草稿", "草稿箱", "草稿匣", "下書き", "임시보관함", "임시 보관함",
	},
	string(engine.Junk): {
		"junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk", "bulk mail", "spamverdacht", "unerwünscht", "junk-e-mail",
		"indésirables", "courrier indésirable", "pourriel", "pourriels", "correo no deseado", "no deseado", "lixo eletrônico", "lixo electrónico", "correio não solicitado",
		"posta indesiderata", "indesiderata", "ongewenste e-mail", "ongewenst", "ongewenste mail", "skräppost", "søppelpost", "uønsket e-mail", "uønsket mail", "roskaposti",
		"wiadomości-śmieci", "wiadomości śmieci", "nevyžádaná pošta", "nevyžiadaná pošta", "levélszemét", "mesaje nedorite", "neželjena pošta", "спам", "нежелательная почта", "нежелана поща",
		"ανεπιθύμητα", "ανεπιθύμητη αλληλογραφία", "gereksiz", "gereksiz e-posta", "istenmeyen", "垃圾邮件", "垃圾郵件", "迷惑メール", "스팸", "스팸편지함", "정크 메일",
	},
	string(engine.Trash): {
		"trash", "deleted", "deleted items", "deleted messages", "bin", "wastebasket", "papierkorb", "gelöscht", "gelöschte objekte", "gelöschte elemente", "gelöschte nachrichten",
		"corbeille", "éléments supprimés", "messages supprimés", "papelera", "elementos eliminados", "eliminados", "lixeira", "itens excluídos", "cestino", "posta eliminata", "elementi eliminati",
		"prullenbak", "prullenmand", "verwijderde items", "papperskorgen", "borttagna objekt", "papirkurv", "slettede elementer", "slettet post", "roskakori", "poistetut",
		"kosz", "elementy usunięte", "koš", "odstraněná pošta", "kôš", "odstránené", "kuka", "törölt elemek", "coș de gunoi", "elemente șterse", "smeće", "кошче", "удаленные", "корзина", "кошик",
		"κάδος απορριμμάτων", "διαγραμμένα", "çöp", "çöp kutusu", "silinmiş öğeler", "已删除", "已删除邮件", "垃圾桶", "刪除的郵件", "ゴミ箱", "削除済みアイテム", "휴지통", "지운 편지함",
	},
	string(engine.Archive): {
		"archive", "archives", "archiv", "archived", "archivo", "archivados", "arquivo", "arquivados", "archivio", "archief", "arkiv", "arkisto", "archiwum", "archív", "archívum", "arhiva", "arhivă", "архив", "архів", "αρχείο", "arşiv", "归档", "封存", "アーカイブ", "보관함",
	},
	string(engine.AllMail): {
		"all mail", "alle nachrichten", "tous les messages", "todos los correos", "todos os e-mails", "tutti i messaggi", "alle berichten", "alle e-mails", "вся почта", "すべてのメール", "전체보관함", "所有邮件",
	},
})

func namesByPurpose(lists map[string][]string) map[string]string {
	names := map[string]string{}
	for purpose, list := range lists {
		for _, name := range list {
			names[name] = purpose
		}
	}
	return names
}
