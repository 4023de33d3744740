// SPDX-License-Identifier: Apache-2.0
/* cli/doctor_tls.c - the certificate that clients are shown: how long it is good, for which name,
 * and whether a client that verifies would connect. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "cli/doctor.h"
#include "io/clock.h"
#include "io/disk.h"
#include "io/tls.h"

#define PEM_BYTES_MAX (256 * 1024)
#define DAYS_WARN 14

static X509 *certificate_read(struct doctor *d, struct err *err)
{
    struct str pem;
    X509 *certificate = NULL;

    if (!disk_read_file(d->config->tls_cert_file.ptr, PEM_BYTES_MAX, &d->arena, &pem, err))
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    if (bio)
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!certificate)
        err_set(err, ERR_TLS, "%.*s holds no certificate", STR_FMT(d->config->tls_cert_file));
    return certificate;
}

static void look_at_dates(struct doctor *d, const X509 *certificate)
{
    const struct doctor_subject s = { "tls", "expiry",
                                      "renew the certificate, then `baton reload`" };
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(clock_wall_ms() / 1000));
    int days = 0, seconds = 0;

    if (!now || !ASN1_TIME_diff(&days, &seconds, now, X509_get0_notAfter(certificate)))
        doctor_add(d, &s, DOCTOR_FAIL, "its end is not a date");
    else if (days < 0 || seconds < 0)
        doctor_add(d, &s, DOCTOR_FAIL, "it ended %d days ago", -days);
    else
        doctor_add(d, &s, days < DAYS_WARN ? DOCTOR_WARN : DOCTOR_OK, "it is good for %d days more",
                   days);
    ASN1_TIME_free(now);
}

static void look_at_name(struct doctor *d, X509 *certificate)
{
    const struct doctor_subject s = { "tls", "name",
                                      "get a certificate for the hostname of the configuration" };
    struct str host = d->config->hostname;
    bool fits = X509_check_host(certificate, host.ptr, host.len, 0, NULL) == 1;

    doctor_add(d, &s, fits ? DOCTOR_OK : DOCTOR_WARN, "it is%s for %.*s", fits ? "" : " not",
               STR_FMT(host));
}

static void look_at_key(struct doctor *d, X509 *certificate)
{
    const struct doctor_subject s = { "tls", "key", "make a new key: 2048 bits of RSA, or P-256" };
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    int bits = key ? EVP_PKEY_get_security_bits(key) : 0;

    doctor_add(d, &s, bits < 112 ? DOCTOR_FAIL : DOCTOR_OK, "%d bits of security", bits);
}

static void look_at_issuer(struct doctor *d, X509 *certificate)
{
    const struct doctor_subject s = { "tls", "issuer",
                                      "clients must be told to trust it; an authority's "
                                      "certificate saves them that" };
    bool self_signed = X509_check_issued(certificate, certificate) == X509_V_OK;

    doctor_add(d, &s, self_signed ? DOCTOR_WARN : DOCTOR_OK, "%s",
               self_signed ? "it is signed by itself" : "it is signed by an authority");
}

/* As a client sees it: with the system's authorities if that is possible, else without. */
static void look_at_listener(struct doctor *d, const struct config_listener *l)
{
    struct doctor_subject s = { "tls", l->name.ptr,
                                "clients that verify will not connect; see the findings on the "
                                "certificate" };
    struct tls_client *strict = NULL, *lax = NULL;
    struct tls_facts facts;
    struct err err = { 0 }, why = { 0 };

    if (!tls_client_new(TLS_VERIFY_NAME, NULL, &strict, &err) ||
        !tls_client_new(TLS_VERIFY_NONE, NULL, &lax, &err)) {
        doctor_add(d, &s, DOCTOR_WARN, "%s", err.text);
    } else if (doctor_handshake(d, l, strict, &facts, &why)) {
        doctor_add(d, &s, DOCTOR_OK, "%s, verified", facts.protocol);
    } else if (doctor_handshake(d, l, lax, &facts, &err)) {
        doctor_add(d, &s, DOCTOR_WARN, "%s, not verified: %s", facts.protocol, why.text);
    } else {
        s.advice = "is the relay running, with this certificate?";
        doctor_add(d, &s, DOCTOR_FAIL, "%s", err.text);
    }
    tls_client_free(strict);
    tls_client_free(lax);
}

void doctor_tls(struct doctor *d)
{
    const struct doctor_subject s = { "tls", "", "set tls.cert_file and tls.key_file" };
    struct err err = { 0 };
    X509 *certificate;

    if (d->config->tls_cert_file.len == 0) {
        doctor_add(d, &s, DOCTOR_WARN, "there is no certificate: mail comes in the clear");
        return;
    }
    certificate = certificate_read(d, &err);
    if (!certificate) {
        doctor_add(d, &s, DOCTOR_FAIL, "%s", err.text);
        return;
    }
    look_at_dates(d, certificate);
    look_at_name(d, certificate);
    look_at_key(d, certificate);
    look_at_issuer(d, certificate);
    X509_free(certificate);
    for (size_t i = 0; i < d->config->listener_count; i++)
        if (d->config->listeners[i].proxy == PROXY_OFF)
            look_at_listener(d, &d->config->listeners[i]);
}
