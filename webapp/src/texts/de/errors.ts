import type { ErrorName } from "../../api/domain";
import type { FailureName } from "../../decoder/failure";
import type { errors as english } from "../en/errors";
import type { Translated } from "../texts";

/** Those of this side, beside the API's. */
type OurName =
  | FailureName
  | "DownloadError"
  | "Offline"
  | "TooManyRequests"
  | "UnexpectedAnswer"
  | "UploadExpired"
  | "UploadFailed";

const named: Record<ErrorName | OurName, string> = {
  AddressRefused:
    "Von dieser Adresse wird nichts geholt. Nimm eine öffentliche, die mit https beginnt.",
  BatchNotFound: "Diesen Stapel gibt es nicht.",
  DeliveryNotFound: "Diese Zustellung gibt es nicht, oder sie liegt zu lange zurück.",
  DependencyUnavailable:
    "Ein Dienst antwortet gerade nicht. Nichts ist verloren; versuch es gleich noch einmal.",
  DecoderFailed: "Das Auswahlwerkzeug hat keine Maske geliefert. Lad die Seite neu.",
  DecoderStopped:
    "Das Auswahlwerkzeug ist stehen geblieben. Lad die Seite neu; deine Klicks sind noch da.",
  DecoderUnavailable:
    "Das Auswahlwerkzeug ließ sich nicht laden. Prüf die Verbindung und versuch es noch einmal.",
  DownloadError: "Die Datei ließ sich nicht laden. Versuch es noch einmal.",
  EmptySurface:
    "Daraus ließ sich keine Oberfläche machen. Wähl das Objekt genauer aus oder nimm ein anderes Foto.",
  EndpointMissing: "Es läuft kein Modell. Sag es der Verwaltung.",
  EndpointUnavailable:
    "Das Modell startet gerade oder fällt aus. Es wird von selbst wieder versucht.",
  ExecutionAborted: "Der Auftrag wurde von außen angehalten. Versuch es noch einmal.",
  ExecutionTimedOut: "Das hat länger gedauert, als es darf. Versuch es noch einmal.",
  FetchFailed: "Von dieser Adresse kam nichts. Prüf sie und versuch es noch einmal.",
  GpuUnavailable:
    "Die Maschine des Modells hat keine brauchbare GPU. Die Verwaltung weiß Bescheid.",
  IdempotencyKeyReused: "Diese Anfrage gab es schon, mit anderem Inhalt. Lad die Seite neu.",
  ImageMissing: "Das Foto ist nicht angekommen. Wähl es noch einmal.",
  ImageTooLarge: "Das Foto ist zu groß. Speichere es kleiner und wähl es noch einmal.",
  ImageTooSmall: "Das Foto ist zu klein. Nimm ein größeres.",
  InferenceExpired: "Das Modell kam nicht rechtzeitig dazu. Versuch es später noch einmal.",
  InferenceFailed:
    "Das Modell ist gescheitert. Versuch es noch einmal; die Verwaltung weiß Bescheid.",
  InputMissing: "Eine Datei, die das Modell braucht, ist nicht mehr da. Fang mit dem Foto neu an.",
  InternalError: "Das war unser Fehler. Versuch es noch einmal; die Verwaltung weiß Bescheid.",
  InvalidDepth:
    "Die Tiefenkarte passt nicht: Sie muss ein graues PNG mit 16 Bit sein, im Format des Fotos.",
  InvalidImage:
    "Diese Datei lässt sich nicht als Foto lesen. Wähl ein JPEG, HEIC, PNG, WebP oder AVIF.",
  InvalidMask:
    "Die Maske passt nicht: Sie fehlt, ist leer oder deckt alles. Wähl das Objekt noch einmal aus.",
  InvalidMesh: "Das Mesh ließ sich in diesem Format nicht schreiben. Versuch es noch einmal.",
  InvalidRequest:
    "Der Server hat die Anfrage nicht verstanden. Lad die Seite neu und versuch es noch einmal.",
  InvalidSplat: "Der Splat lässt sich nicht lesen. Versuch es noch einmal.",
  JobConflict: "Das geht gerade nicht: Der Auftrag ist inzwischen weiter. Lad die Seite neu.",
  JobNotFound: "Diesen Auftrag gibt es nicht (mehr). Deine Aufträge findest du in der Galerie.",
  KeyNotFound: "Diesen Schlüssel gibt es nicht (mehr).",
  LimitReached: "Mehr geht im Moment nicht: Du hast so viele Aufträge, wie du haben darfst.",
  MailFailed: "Die Mail ließ sich nicht senden. Der Auftrag ist davon nicht betroffen.",
  MaskExpired: "Der Auftrag hat zu lange auf seine Maske gewartet. Versuch es noch einmal.",
  NotAllowed: "Das darf dieser Schlüssel nicht.",
  NothingFound: "Hier wurde nichts gefunden. Wähl das Objekt mit einem Klick aus.",
  Offline: "Der Server ist nicht zu erreichen. Prüf die Verbindung; nichts ist verloren.",
  OptionNotOffered: "Diese Einstellung gibt es hier nicht. Wähl eine andere.",
  OutOfMemory:
    "Dem Modell ging der Speicher aus. Versuch es noch einmal, vielleicht mit weniger Objekten.",
  OutputNotWritable: "Das Ergebnis ließ sich nicht speichern. Die Verwaltung weiß Bescheid.",
  PreparedDamaged:
    "Das vorbereitete Foto lässt sich nicht lesen. Lad die Seite neu; hilft das nicht, fang mit dem Foto neu an.",
  PreparedElsewhere:
    "Das Foto wurde von einer anderen Version vorbereitet. Lad die Seite neu; hilft das nicht, fang mit dem Foto neu an.",
  ReconstructionFailed:
    "Daraus wurde kein brauchbares Modell. Wähl das Objekt genauer aus oder nimm ein anderes Foto.",
  ShareNotFound: "Diesen Link gibt es nicht (mehr).",
  SplatTooLarge: "Der Splat ist zu groß für ein Mesh. Nimm eine niedrigere Qualität.",
  StorageUnavailable: "Der Speicher antwortet gerade nicht. Es wird von selbst wieder versucht.",
  TooManyRequests: "Das war viel auf einmal. Warte einen Moment.",
  Unauthorized: "Du bist nicht mehr angemeldet. Melde dich wieder an.",
  UnexpectedAnswer:
    "Mit der Antwort des Servers ist nichts anzufangen. Versuch es gleich noch einmal.",
  UnsupportedImage:
    "Fotos dieser Art werden nicht genommen. Wähl ein JPEG, HEIC, PNG, WebP oder AVIF.",
  UnsupportedVersion: "Diese Seite ist älter als der Server. Lad sie neu.",
  UploadExpired: "Das Hochladen hat zu lange gewartet. Versuch es noch einmal.",
  UploadFailed: "Das Hochladen ist gescheitert. Versuch es noch einmal.",
  WebhookNotFound: "Diesen Webhook gibt es nicht (mehr).",
  WeightsInvalid: "Das Modell ist unvollständig. Die Verwaltung weiß Bescheid.",
  WeightsUnavailable: "Das Modell ließ sich nicht holen. Die Verwaltung weiß Bescheid.",
};

export const errors: Translated<typeof english> = {
  named,
  unnamed: "Etwas ist schiefgegangen. Versuch es noch einmal.",
  againInSeconds: (seconds) => `Versuch es in ${seconds} Sekunden wieder.`,
  againAfter: (moment) => `Versuch es nach ${moment} wieder.`,
  stopped: "Diese Seite ist hängen geblieben. Lad sie neu; was du getan hast, ist noch da.",
  newer:
    "Es gibt eine neue Version von Gen3D, und Teile dieser hier sind weg. Lad die Seite neu; was du getan hast, ist noch da.",
  configLacks: (name) => `In config.json fehlt „${name}“. Veröffentliche die Web-App noch einmal.`,
  configAnswered: (status) =>
    `config.json antwortet mit ${status}. Veröffentliche die Web-App noch einmal.`,
};
