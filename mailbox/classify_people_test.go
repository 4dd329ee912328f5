package mailbox

import (
	"testing"

	"nudge/engine"
)

// TestPeopleAndMachines holds short mails whose words or headers lead astray.
// The column extra is further header lines; q@seller.example is a touch of
// ours.
func TestPeopleAndMachines(t *testing.T) {
	const answers = "In-Reply-To: <q@seller.example>\n"
	for _, tt := range []struct {
		want                       engine.Kind
		from, subject, extra, text string
	}{
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "Stop by on Monday, please."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "No."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "Not interested, thanks."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, ""},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "I am out of office until Monday but go ahead with variant B."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "I'm travelling this week, can we talk Monday? Please remove the second position and send me the new quote."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", "X-Auto-Response-Suppress: All\n" + answers, "I'm on vacation from tomorrow, so please call today."},
		{engine.Reply, "Anna <anna@c.example>", "RE: Quote", answers, "Das passt. Der Empfänger ist unbekannt verzogen, bitte nicht zustellen."},
		{engine.Reply, "Post Master <postmaster@c.example>", "Re: Quote", answers, "We agree to the price."},
		{engine.Reply, "Service <service@c.example>", "Re: Quote", answers + "Precedence: bulk\n", "Ja, bitte. Viele Grüße, Eva"},
		{engine.Reply, "Anna <anna@c.example>", "Failed to open your attachment", "", "Hi, the PDF of the quote does not open, can you resend?"},
		{engine.Reply, "Anna <anna@c.example>", "Your mail was returned?", "", "Hi, I tried to answer but my message could not be delivered, error 550. Is this address right? Yes to the offer."},
		{engine.Reply, "Anna <anna@c.example>", "Delivery date", "", "When can you deliver?"},
		{engine.Reply, "Anna <anna@c.example>", "Fwd: Undelivered Mail Returned to Sender", "", "See below, your colleague's address is wrong.\n\n<tom@seller.example>: 550 5.1.1 unknown user\nundeliverable"},
		{engine.Reply, "Anna <anna@c.example>", "Unsubscribe link in your mail", "", "Hi, the unsubscribe link is broken. Otherwise fine, please send the contract."},
		{engine.Reply, "Anna <anna@c.example>", "Re: unsubscribe", answers, "what do you mean? I want the quote"},
		{engine.Reply, "Anna <anna@c.example>", "Verification required for supplier registration", "", "Hello, please register here https://portal.c.example so that we can place the order."},
		{engine.Reply, "Anna <anna@c.example>", "Accepted", "", "we accept"},
		{engine.Reply, "Anna <anna@c.example>", "Read: this please", "", "see attachment"},
		{engine.Reply, "Anna <anna@c.example>", "Warning: price is too high", "", "really"},
		{engine.Reply, "Anna <anna@c.example>", "Abwesenheit nächste Woche", answers, "Hallo, nächste Woche bin ich weg, rufen Sie mich heute an."},
		{engine.Reply, "Anna <anna@c.example>", "Vacation: can we move the date?", "", "We are closed over Christmas, can we start in January?"},
		{engine.Reply, "Anna <anna@c.example>", "Absence: contract", "", "Hello, I want to order."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers + "Return-Path: <>\n", "please call me"},
		{engine.Reply, "Anna <anna@c.example>", "Re: Automatic reply: Quote", answers, "Back now. Yes please."},
		{engine.Reply, "Anna <anna@c.example>", "Re: Out of office", answers, "I was away, go ahead"},
		{engine.Reply, "anna@c.example", "", "", "ok"},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "Hallo,\n\nbitte stoppen Sie die Produktion und schicken keine weiteren Mails an Herrn Kern, sondern an mich. Wir wollen aber bestellen, 20 Stück.\n"},
		{engine.Reply, "Anna <anna@c.example>", "Re: Quote", answers, "Sehr geehrte Damen und Herren, vielen Dank für Ihre Nachricht. Wir melden uns nächste Woche."},
		{engine.Reply, "Anna <anna@c.example>", "Thank you", "", "Thank you for your message. We have received your quote and will get back to you."},
		{engine.AutoReply, "Anna <anna@c.example>", "Automatisch antwoord: Offerte", answers, "Ik ben er even niet."},
		{engine.AutoReply, "Anna <anna@c.example>", "Out of Office: Quote", answers, "I'm out of the office this week."},
		{engine.AutoReply, "Anna <anna@c.example>", "Automatic reply: Quote", "", "x"},
		{engine.AutoReply, "Anna <anna@c.example>", "Respuesta automática: x", answers, "Estaré de vacaciones hasta el 9 de diciembre."},
		{engine.AutoReply, "Anna <anna@c.example>", "Risposta automatica: x", answers, "Sono in ferie."},
		{engine.AutoReply, "Anna <anna@c.example>", "Absence du bureau Re: Devis", answers, "Je suis absent jusqu'au 4 décembre."},
		{engine.AutoReply, "Anna <anna@c.example>", "[EXTERN] Automatische Antwort: Angebot", answers, "Ich bin derzeit nicht im Büro."},
		{engine.AutoReply, "Anna <anna@c.example>", "Abwesend Re: Angebot", answers, "Ich bin vom 20.11. bis 4.12. im Urlaub."},
		{engine.AutoReply, "Anna <anna@c.example>", "자동 회신: 견적", answers, "휴가 중입니다."},
		{engine.AutoReply, "Anna <anna@c.example>", "Re: Quote", "Auto-Submitted: auto-replied\n" + answers, "I no longer work here"},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "STOP"},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Unsubscribe\n\nSent from my iPhone"},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Hi, please remove me from your mailing list. Thanks, Anna"},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Don't contact me again."},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Por favor, denme de baja de su lista."},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Nehmen Sie mich bitte aus Ihrem Verteiler."},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Haal mij uit de lijst aub"},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Veuillez me retirer de votre liste."},
		{engine.Unsubscribe, "Anna <anna@c.example>", "Re: Quote", answers, "Vänligen ta bort mig från listan"},
	} {
		in := Classify([]byte("From: " + tt.from + "\nTo: sales@seller.example\nSubject: " + tt.subject +
			"\nDate: Mon, 23 Nov 2026 09:00:00 +0100\nMessage-ID: <x@c.example>\n" + tt.extra + "\n" + tt.text))
		if in.Kind != tt.want {
			t.Errorf("%q, %q: taken for %s (%s), want %s", tt.subject, tt.text, in.Kind, in.Evidence, tt.want)
		}
	}
}
