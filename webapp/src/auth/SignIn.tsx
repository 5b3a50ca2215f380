import { Authenticator, ThemeProvider } from "@aws-amplify/ui-react";
import "@aws-amplify/ui-react/styles.css";
import { I18n } from "aws-amplify/utils";
import { useServices } from "../services";
import { auth } from "../texts/en/auth";
import { type Language, useLanguage } from "../texts/languages";
import { type Translated, useTexts } from "../texts/texts";
import { PASSWORD } from "./password";
import "./sign-in.css";

/** Sign in, sign up, confirm, reset the password. Its own chunk: it is larger than the rest. */
export default function SignIn() {
  const { selfSignUp } = useServices().config;
  const t = useTexts(auth);
  const language = useLanguage();
  speak(language, t);
  const email = { label: t.email, placeholder: t.emailExample };
  // The form's types do not know the hint; it hands it to the field, which shows it.
  const password = { isRequired: true, descriptiveText: t.passwordHint(PASSWORD.minLength) };
  return (
    <>
      {!selfSignUp && <p className="muted">{t.byAdmin}</p>}
      <ThemeProvider theme={{ name: "gen3d" }}>
        <Authenticator
          key={language}
          loginMechanisms={["email"]}
          hideSignUp={!selfSignUp}
          formFields={{
            signIn: { username: email },
            signUp: { email, password },
            forceNewPassword: { password },
            confirmResetPassword: { password },
          }}
        />
      </ThemeProvider>
    </>
  );
}

/** Have Amplify's form speak as the page does; it reads its words as it is drawn. */
function speak(language: Language, { form }: Translated<typeof auth>): void {
  if (form) I18n.putVocabulariesForLanguage(language, { ...form });
  I18n.setLanguage(language);
}
