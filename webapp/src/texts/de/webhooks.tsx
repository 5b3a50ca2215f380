import type { webhooks as english } from "../en/webhooks";
import type { Translated } from "../texts";

export const webhooks: Translated<typeof english> = {
  webhooks: "Webhooks",
  newWebhook: "Neuer Webhook",
  about: (link) => (
    <>
      Eine Adresse von dir, die erfährt, wenn ein Auftrag von dir auf dich wartet oder zu Ende ist,
      damit ein Programm nicht fragen muss. Was ihr gesendet wird, ist signiert, wie es{" "}
      {link("Standard Webhooks")} sagt.
    </>
  ),
  loading: "Deine Webhooks laden",
  empty: "Noch keine Webhooks",
  events: {
    "job.awaiting_mask": "Ein Foto wartet auf Klicks",
    "job.completed": "Modelle sind fertig",
    "job.failed": "Ein Auftrag ist gescheitert",
    "job.cancelled": "Ein Auftrag wurde abgebrochen",
    "job.expired": "Ein Auftrag hat zu lange gewartet",
  },
  registered: (moment) => `angemeldet: ${moment}`,
  ended: (moment) =>
    `Zu Ende seit ${moment}, weil sie mit 410 geantwortet hat. Sie erfährt nichts mehr.`,
  sent: "Was gesendet wurde",
  sentTo: (url) => `Was an ${url} gesendet wurde`,
  withdraw: "Zurückziehen",
  withdrawOne: (url) => `${url} zurückziehen`,
  address: "Seine Adresse, über https",
  toldOf: "Wovon er erfährt",
  register: "Anmelden",
  theSecret: "Das Geheimnis des Webhooks",
  secret: "Geheimnis",
  keepIt:
    "Damit prüft dein Programm, dass eine Nachricht von uns ist, und unverändert. Leg es dorthin, wo es seine Geheimnisse hat.",
  askWithdraw: "Diesen Webhook zurückziehen?",
  withdrawn: (url) =>
    `${url} erfährt nichts mehr, auch nicht, was noch zu senden ist, und was gesendet wurde, ist nicht mehr zu sehen. Sein Geheimnis signiert nichts mehr.`,
  loadingSent: "Lädt, was gesendet wurde",
  nothingSent: "Nichts innerhalb einer Woche.",
  states: { PENDING: "Unterwegs", DELIVERED: "Zugestellt", FAILED: "Aufgegeben" },
  nextTry: (moment) => `nächster Versuch: ${moment}`,
  sendAgain: "Noch einmal senden",
  showMore: "Mehr zeigen",
  answered: (status) => `antwortete ${status}`,
  noAnswer: "Es kam keine Antwort.",
};
