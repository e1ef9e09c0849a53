"""The public API of status pages: the one place from which a function speaks to a host that is not AWS.

The host comes from the configuration alone, never from a delivery. Nothing is followed elsewhere.
"""

import ssl
from http.client import HTTPException, HTTPSConnection

from kulanz.application.drafts.receive_delivery import DELIVERY_BYTES
from kulanz.application.ports import TryAgain

SECONDS_MOST = 10
OK = 200


class HttpsPages:
    """Status pages by HTTPS."""

    def incident(self, host: str, incident: str) -> bytes:
        connection = HTTPSConnection(host, timeout=SECONDS_MOST, context=ssl.create_default_context())
        try:
            connection.request("GET", f"/api/v2/incidents/{incident}.json", headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(DELIVERY_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise TryAgain(f"the status page did not answer: {type(error).__name__}") from None
        finally:
            connection.close()
        if answer.status != OK or len(body) > DELIVERY_BYTES:
            raise TryAgain(f"the status page answered {answer.status}")
        return body
