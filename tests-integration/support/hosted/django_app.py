"""An application of Django in one file, on its ASGI handler."""

import json

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

settings.configure(
    ALLOWED_HOSTS=["*"],
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of tests",
)
django.setup()


def hello(request, name):
    return HttpResponse(f"Hello {name}", content_type="text/plain")


async def where(request):
    return JsonResponse(
        {
            "url": request.build_absolute_uri(reverse("hello", args=["ada"])),
            "root_path": request.META["SCRIPT_NAME"],
            "client": request.META["REMOTE_ADDR"],
            "scheme": request.scheme,
        }
    )


@csrf_exempt
def echo(request):
    return HttpResponse(request.body, content_type="text/plain")


@csrf_exempt
async def update(request):
    return JsonResponse({"sum": sum(json.loads(request.body))})


async def stream(request):
    async def lines():
        for number in range(3):
            yield f"line {number}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


def fail(request):
    raise ValueError("on purpose")


urlpatterns = [
    path("hello/<name>", hello, name="hello"),
    path("where", where),
    path("echo", echo),
    path("update", update),
    path("stream", stream),
    path("fail", fail),
]

app = get_asgi_application()
